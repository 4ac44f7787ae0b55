/**
 * Images from scripts: a Dockerfile's instructions as methods.
 *
 * What is built is the Dockerfile that `dockerfile` shows, by the same parser and executor: the same layers, the same
 * cache, the same errors.
 *
 * @module
 */
import type { BuiltImage } from "./built_image.ts";
import type { BuildScriptOptions } from "./build.ts";
import { lazy } from "../lib/lazy.ts";
import type {
  AddOptions,
  CopyOptions,
  HealthcheckOptions,
  RunInstructionOptions,
  RunMountOptions,
  TransferInstructionOptions,
} from "./instruction_options.ts";
import {
  type CommandWords,
  heredoc,
  invalid,
  oneLine,
  toCommand,
  toFlags,
  toPairs,
  toPaths,
  toRun,
  toWord,
} from "./dockerfile_text.ts";

/** Where files come from: another image being built, an image's name, or that of a named context. */
export type StageSource = ImageBuilder | string;

/** An instruction: its text, once the names of stages are known. */
type Line = (nameOf: (source: StageSource) => string) => string;

/** What a builder is made of. */
interface Parts {
  base: StageSource;
  platform?: string | undefined;
  name?: string | undefined;
  lines: readonly Line[];
}

/**
 * Begins an image on top of another: a name, `scratch`, or an image that is being built.
 *
 * @example
 * ```ts ignore
 * const build = image("debian:12").run("apt-get update && apt-get install -y gcc")
 *   .copy("hello.c", "/src/").run("gcc -static -o /hello /src/hello.c");
 * const { id } = await image("scratch").copy("/hello", "/", { from: build }).cmd(["/hello"])
 *   .build({ tag: "hello", context: "." });
 * ```
 */
export function image(base: StageSource, options: { platform?: string } = {}): ImageBuilder {
  return new ImageBuilder({ base, platform: options.platform, lines: [] });
}

/** An image that is described, not built. Each method answers a changed copy. */
export class ImageBuilder {
  readonly #parts: Parts;

  /** For {@linkcode image}. */
  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Names the stage, for `target` and for messages. */
  as(name: string): ImageBuilder {
    if (!/^[a-z][a-z0-9._-]*$/.test(name)) {
      throw invalid(`invalid name ${JSON.stringify(name)} for a stage`);
    }
    return new ImageBuilder({ ...this.#parts, name });
  }

  /**
   * `RUN`: a shell's text, of one line or several, or a command and its arguments. What all lines of a text are indented
   * by is taken away.
   */
  run(command: CommandWords, options: RunInstructionOptions = {}): ImageBuilder {
    const text = toRun(command);
    const { mounts = [], network, security } = options;
    return this.#with((nameOf) => {
      const mount = mounts.map((one) => toMount(one, nameOf));
      return `RUN${toFlags({ mount, network, security })} ${text}`;
    });
  }

  /** `COPY`: from the context, or from what `from` says. */
  copy(
    sources: string | readonly string[],
    destination: string,
    options: CopyOptions = {},
  ): ImageBuilder {
    const paths = toPaths([sources, destination].flat());
    const { from, parents, ...rest } = options;
    const flags = toFlags({ parents, ...transferFlags(rest) });
    return this.#with((nameOf) =>
      `COPY${toFlags({ from: from && nameOf(from) })}${flags} ${paths}`
    );
  }

  /** `ADD`: also archives, addresses and repositories. */
  add(
    sources: string | readonly string[],
    destination: string,
    options: AddOptions = {},
  ): ImageBuilder {
    const paths = toPaths([sources, destination].flat());
    const { checksum, keepGitDir, unpack, ...rest } = options;
    const flags = toFlags({
      checksum,
      "keep-git-dir": keepGitDir,
      unpack: unpack === undefined ? undefined : String(unpack),
      ...transferFlags(rest),
    });
    return this.#with(`ADD${flags} ${paths}`);
  }

  /** A file with that content, which ends in a line feed, as `COPY <<EOF`. */
  file(
    destination: string,
    content: string,
    options: Pick<CopyOptions, "chown" | "chmod"> = {},
  ): ImageBuilder {
    const flags = toFlags(transferFlags(options));
    if (/[\s"'\\]|^[[<-]/.test(destination)) {
      throw invalid(`file() cannot name ${JSON.stringify(destination)}: copy it from a context`);
    }
    return this.#with(`COPY${flags} ${heredoc(content, destination)}`);
  }

  /** `ENV`. `$NAME` in a value stands for a variable, `\$` for a dollar sign. */
  env(variables: Readonly<Record<string, string>>): ImageBuilder {
    return this.#with(`ENV ${toPairs(variables)}`);
  }

  /** `ARG`: a variable that `buildArgs` may set, and what it is otherwise. */
  arg(name: string, value?: string): ImageBuilder {
    return this.#with(`ARG ${oneLine(name)}${value === undefined ? "" : `=${toWord(value)}`}`);
  }

  /** `LABEL`. */
  label(labels: Readonly<Record<string, string>>): ImageBuilder {
    return this.#with(`LABEL ${toPairs(labels)}`);
  }

  /** `WORKDIR`. */
  workdir(path: string): ImageBuilder {
    return this.#with(`WORKDIR ${oneLine(path)}`);
  }

  /** `USER`: `name`, `uid`, `user:group`. */
  user(user: string): ImageBuilder {
    return this.#with(`USER ${oneLine(user)}`);
  }

  /** `CMD`: a shell's line, or a command and its arguments. */
  cmd(command: CommandWords): ImageBuilder {
    return this.#with(`CMD ${toCommand(command)}`);
  }

  /** `ENTRYPOINT`: a shell's line, or a command and its arguments. */
  entrypoint(command: CommandWords): ImageBuilder {
    return this.#with(`ENTRYPOINT ${toCommand(command)}`);
  }

  /** `SHELL`: what the shell's text of the instructions after this is given to. */
  shell(command: readonly string[]): ImageBuilder {
    return this.#with(`SHELL ${JSON.stringify(command)}`);
  }

  /** `EXPOSE`: `80`, `"53/udp"`, `"8000-8010"`. */
  expose(...ports: (number | string)[]): ImageBuilder {
    return this.#with(`EXPOSE ${ports.map((port) => oneLine(String(port))).join(" ")}`);
  }

  /** `VOLUME`. */
  volume(...paths: string[]): ImageBuilder {
    return this.#with(`VOLUME ${JSON.stringify(paths)}`);
  }

  /** `STOPSIGNAL`. */
  stopSignal(signal: string): ImageBuilder {
    return this.#with(`STOPSIGNAL ${oneLine(signal)}`);
  }

  /** `HEALTHCHECK`; `false` switches off the one of the base. */
  healthcheck(command: CommandWords | false, options: HealthcheckOptions = {}): ImageBuilder {
    if (command === false) return this.#with("HEALTHCHECK NONE");
    const { interval, timeout, startPeriod, startInterval, retries } = options;
    const flags = toFlags({
      interval,
      timeout,
      "start-period": startPeriod,
      "start-interval": startInterval,
      retries: retries === undefined ? undefined : String(retries),
    });
    return this.#with(`HEALTHCHECK${flags} CMD ${toCommand(command)}`);
  }

  /** `ONBUILD`: what images that are built on this one do first. */
  onBuild(steps: (image: ImageBuilder) => ImageBuilder): ImageBuilder {
    const { lines } = steps(new ImageBuilder({ base: "scratch", lines: [] })).#parts;
    const triggers = lines.map((line): Line => (nameOf) => `ONBUILD ${line(nameOf)}`);
    return new ImageBuilder({ ...this.#parts, lines: [...this.#parts.lines, ...triggers] });
  }

  /** The Dockerfile that this is. */
  get dockerfile(): string {
    return new Stages().write(this);
  }

  /**
   * Builds it.
   *
   * @throws {DhowError} As `dhow build` fails; nothing is left but the cache of what was finished.
   */
  async build(options: BuildScriptOptions = {}): Promise<BuiltImage> {
    const { buildDockerfile } = await lazy<typeof import("./build.ts")>(
      "./build.ts",
      import.meta.url,
    );
    return await buildDockerfile(this.dockerfile, options);
  }

  #with(line: Line | string): ImageBuilder {
    const added = typeof line === "string" ? () => line : line;
    return new ImageBuilder({ ...this.#parts, lines: [...this.#parts.lines, added] });
  }

  /** For {@linkcode Stages}. */
  static partsOf(builder: ImageBuilder): Parts {
    return builder.#parts;
  }
}

/** Stages in the order in which they have to be written, each with a name. */
class Stages {
  readonly #names = new Map<ImageBuilder, string>();
  readonly #texts: string[] = [];

  write(last: ImageBuilder): string {
    this.#add(last, true);
    return this.#texts.join("\n");
  }

  #add(builder: ImageBuilder, isLast: boolean): void {
    const { base, platform, name, lines } = ImageBuilder.partsOf(builder);
    const nameOf = (source: StageSource) => this.#nameOf(source);
    const from = `FROM${toFlags({ platform })} ${oneLine(nameOf(base))}`;
    const texts = lines.map((line) => line(nameOf));
    // The stages that it needs stand above it by now.
    const own = name ?? (isLast ? undefined : `stage${this.#names.size}`);
    if (own !== undefined && [...this.#names.values()].includes(own)) {
      throw invalid(`two stages are called ${JSON.stringify(own)}`);
    }
    this.#names.set(builder, own ?? "");
    this.#texts.push([from + (own === undefined ? "" : ` AS ${own}`), ...texts, ""].join("\n"));
  }

  #nameOf(source: StageSource): string {
    if (typeof source === "string") return oneLine(source);
    if (!this.#names.has(source)) this.#add(source, false);
    return this.#names.get(source)!;
  }
}

function transferFlags({ chown, chmod, link, exclude }: TransferInstructionOptions) {
  return { chown, chmod, link, exclude };
}

function toMount(mount: RunMountOptions, nameOf: (source: StageSource) => string): string {
  const fields = Object.entries(mount).filter(([, value]) => value !== undefined).map(
    ([key, value]) => {
      const text = key === "from" ? nameOf(value as StageSource) : String(value);
      if (/[,"\s]/.test(text)) throw invalid(`--mount cannot hold ${JSON.stringify(text)}`);
      return `${key}=${text}`;
    },
  );
  return fields.join(",");
}
