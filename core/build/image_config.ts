/**
 * An image's config while it is being built: what instructions other than RUN, COPY and ADD make of it, with BuildKit's
 * words for the history.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseSignal } from "../lib/signal.ts";
import type { ImageConfig, ImageRunConfig, Platform } from "../spec/image.ts";
import type { CommandLine, HealthcheckInstruction, Instruction } from "./dockerfile/ast.ts";
import { goDuration, goQuote, goQuoteList, goQuoteRune } from "./go_format.ts";

/** Where commands are looked for if the image does not say. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** What a step of ours is told by in the history. */
export const COMMENT = "buildkit.dockerfile.v0";

/** A line of the history that is to be. */
export interface Step {
  createdBy: string;
  /** Index among this build's layers; undefined for a step that makes none. */
  layer?: number;
}

/** The config of an image from nothing. */
export function emptyConfig(platform: Platform): ImageConfig {
  return {
    ...platform,
    config: { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [] },
  };
}

/** The config that a stage begins with. @param base Is not changed. */
export function derivedConfig(base: ImageConfig): ImageConfig {
  const { created: _created, comment: _comment, docker_version: _version, ...kept } =
    structuredClone(base);
  const run: ImageRunConfig = { ...kept.config };
  const env = run.Env ?? [];
  if (!env.some((entry) => entry.startsWith("PATH="))) {
    run.Env = [...env, `PATH=${DEFAULT_PATH}`];
  }
  // Obeyed by this build; not handed on.
  delete run.OnBuild;
  return { ...kept, config: run };
}

/** The words of a command line, its shell put before it. */
export function commandWords(command: CommandLine, config: ImageRunConfig): string[] {
  return command.form === "exec" ? [...command.args] : [...shellOf(config), command.text];
}

/** The shell of `RUN`, `CMD` and `ENTRYPOINT`. */
export function shellOf({ Shell }: ImageRunConfig): readonly string[] {
  return Shell ?? ["/bin/sh", "-c"];
}

/** Changes that instructions make which change no file. */
export class ConfigBuilder {
  readonly config: ImageConfig;
  readonly run: ImageRunConfig;
  #hasCmd = false;

  /** @param config Is changed. */
  constructor(config: ImageConfig) {
    this.config = config;
    this.run = config.config ??= {};
  }

  /** Variables: `NAME=value`. */
  get env(): readonly string[] {
    return this.run.Env ?? [];
  }

  /** The directory that relative paths count from. */
  get workingDirectory(): string {
    return this.run.WorkingDir || "/";
  }

  /** Where a path of the Dockerfile is in the image. */
  absolute(path: string): string {
    const whole = path.startsWith("/") ? path : `${this.workingDirectory}/${path}`;
    const parts: string[] = [];
    for (const part of whole.split("/")) {
      if (part === "..") parts.pop();
      else if (part !== "" && part !== ".") parts.push(part);
    }
    return `/${parts.join("/")}`;
  }

  /**
   * Obeys an instruction whose words are expanded.
   *
   * @returns The text for the history; undefined for instructions that history says nothing of.
   */
  apply(instruction: Instruction): string | undefined {
    const { run } = this;
    switch (instruction.kind) {
      case "env":
        for (const { key, value } of instruction.pairs) this.#setEnv(key, value);
        return `ENV ${instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(" ")}`;
      case "label": {
        const labels = Object.fromEntries(instruction.pairs.map(({ key, value }) => [key, value]));
        run.Labels = sorted({ ...run.Labels, ...labels });
        return `LABEL ${instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(" ")}`;
      }
      case "maintainer":
        this.config.author = instruction.name;
        return `MAINTAINER ${instruction.name}`;
      case "cmd":
        run.Cmd = commandWords(instruction.command, run);
        run.ArgsEscaped = true;
        this.#hasCmd = true;
        return `CMD ${goQuoteList(run.Cmd)}`;
      case "entrypoint":
        run.Entrypoint = commandWords(instruction.command, run);
        if (!this.#hasCmd) delete run.Cmd;
        return `ENTRYPOINT ${goQuoteList(run.Entrypoint)}`;
      case "shell":
        run.Shell = [...instruction.args];
        return `SHELL [${instruction.args.join(" ")}]`;
      case "expose": {
        const ports = instruction.ports.flatMap(expandPorts).sort();
        for (const port of ports) (run.ExposedPorts ??= {})[port] = {};
        run.ExposedPorts = sorted(run.ExposedPorts ?? {});
        return `EXPOSE [${ports.join(" ")}]`;
      }
      case "volume":
        for (const path of instruction.paths) {
          if (path === "") throw invalid("VOLUME specified can not be an empty string");
          (run.Volumes ??= {})[path] = {};
        }
        run.Volumes = sorted(run.Volumes ?? {});
        return `VOLUME [${instruction.paths.join(" ")}]`;
      case "user":
        run.User = instruction.user;
        return `USER ${instruction.user}`;
      case "workdir":
        run.WorkingDir = this.absolute(instruction.path);
        return `WORKDIR ${run.WorkingDir}`;
      case "stopsignal":
        run.StopSignal = checkSignal(instruction.signal);
        return `STOPSIGNAL ${instruction.signal}`;
      case "healthcheck":
        return this.#setHealthcheck(instruction);
      case "onbuild":
        run.OnBuild = [...run.OnBuild ?? [], instruction.trigger];
        return undefined;
      default:
        return undefined;
    }
  }

  #setEnv(key: string, value: string): void {
    const env = [...this.env];
    const at = env.findIndex((entry) => entry.split("=", 1)[0] === key);
    env.splice(at < 0 ? env.length : at, at < 0 ? 0 : 1, `${key}=${value}`);
    this.run.Env = env;
  }

  #setHealthcheck(check: HealthcheckInstruction): string {
    const { command, intervalNs, timeoutNs, startPeriodNs, startIntervalNs, retries } = check;
    const test = command === undefined
      ? ["NONE"]
      : command.form === "shell"
      ? ["CMD-SHELL", command.text]
      : ["CMD", ...command.args];
    this.run.Healthcheck = {
      Test: test,
      ...intervalNs && { Interval: intervalNs },
      ...timeoutNs && { Timeout: timeoutNs },
      ...startPeriodNs && { StartPeriod: startPeriodNs },
      ...startIntervalNs && { StartInterval: startIntervalNs },
      ...retries && { Retries: retries },
    };
    const times = [intervalNs, timeoutNs, startPeriodNs, startIntervalNs]
      .map((time = 0) => goQuote(goDuration(time)));
    return `HEALTHCHECK &{${goQuoteList(test)} ${times.join(" ")} ${goQuoteRune(retries ?? 0)}}`;
  }
}

/** `8000-8002/udp` as one port each, with the protocol said. @throws {DhowError} `invalid_argument`. */
function expandPorts(text: string): string[] {
  const [range = "", protocol = "tcp"] = text.split("/", 2);
  const match = /^(\d+)(?:-(\d+))?$/.exec(range);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  const known = ["tcp", "udp", "sctp"].includes(protocol.toLowerCase());
  if (match === null || first > last || last > 65535 || !known) {
    throw invalid(
      known ? `invalid containerPort: ${text}` : `invalid proto: ${protocol}`,
    );
  }
  return Array.from(
    { length: last - first + 1 },
    (_, i) => `${first + i}/${protocol.toLowerCase()}`,
  );
}

function checkSignal(text: string): string {
  try {
    parseSignal(text);
  } catch {
    throw invalid(`invalid signal: ${text}`);
  }
  return text;
}

/** JSON of a Go map has its keys in order, and an image's id depends on it. */
function sorted<T>(map: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => a < b ? -1 : 1));
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
