/**
 * `COPY` and `ADD`: what they depend on, and having the helper do them.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import { DhowError } from "../errors.ts";
import type { CopySource } from "./build_jobs.ts";
import type { AddInstruction, CopyInstruction } from "./dockerfile/ast.ts";
import type { ConfigBuilder } from "./image_config.ts";
import type { BuildLayer } from "./layers.ts";
import type { BuildSession } from "./session.ts";
import { keyOfSource, type Source, treeRoots, useLowers } from "./sources.ts";
import type { FileStep } from "./step.ts";

/** Where COPY and ADD look. */
export interface CopyEnvironment {
  session: BuildSession;
  openSource(from: string | undefined): Promise<Source>;
}

/** Files for COPY and ADD that are there, or will be when the step is done. */
export interface GatheredSource {
  key(): unknown;
  /** As that of a step. */
  contentKey?(): Promise<unknown>;
  /** @param directory Of the step: for what is fetched. */
  open(stack: DisposableStack, directory: string): Promise<CopySource[]> | CopySource[];
}

/** Makes a step of a COPY or ADD whose words are plain. */
export async function copyStep(
  instruction: CopyInstruction | AddInstruction,
  config: ConfigBuilder,
  environment: CopyEnvironment,
): Promise<FileStep> {
  const { session } = environment;
  const { chown, chmod, excludes, heredocs } = instruction;
  const isAdd = instruction.kind === "add";
  const gathered = isAdd ? await gatherAdd(instruction, environment) : [
    await gatherTree(instruction.sources, environment, {
      from: instruction.from,
      excludes,
      doubleStar: instruction.parents,
    }),
  ];
  const destination = destinationOf(instruction.destination, config);
  const parents = instruction.kind === "copy" && instruction.parents;
  const texts = heredocs.map(({ name, content }) => ({ name, content }));
  const isLocal = instruction.kind === "copy" && instruction.from === undefined;
  const whole = (keys: unknown[]) => [
    instruction.kind,
    destination,
    chown,
    chmod,
    parents,
    texts,
    keys,
  ];
  const [only] = gathered;
  return {
    key: async () => {
      const keys: unknown[] = [];
      for (const one of gathered) keys.push(await one.key());
      return whole(keys);
    },
    ...only?.contentKey && { contentKey: async () => whole([await only.contentKey!()]) },
    type: isLocal ? "source.local" : "regular",
    createdBy: `${historyOf(instruction)} # buildkit`,
    perform: async (state, { upper }) => {
      using stack = new DisposableStack();
      const directory = session.newDirectory();
      await Deno.mkdir(directory, { mode: 0o700 });
      const sources: CopySource[] = [];
      for (const one of gathered) sources.push(...await one.open(stack, directory));
      for (const { name, content } of texts) sources.push({ kind: "text", name, content });
      const { sourceDateEpoch: epoch } = session.request;
      await session.helper.do({
        kind: "copy",
        copy: {
          target: {
            kind: session.overlay,
            ...useLowers(session, state.layers, stack),
            upper,
            scratch: session.newDirectory(),
          },
          sources,
          destination,
          ...chown !== undefined && { owner: chown },
          ...chmod !== undefined && { mode: chmod },
          parents,
          excludes,
          ...epoch !== undefined && { epoch },
        },
      });
    },
  };
}

function destinationOf(text: string, config: ConfigBuilder): string {
  const path = config.absolute(text);
  return /(^|\/)\.?$/.test(text) && path !== "/" ? `${path}/` : path;
}

function historyOf(instruction: CopyInstruction | AddInstruction): string {
  const words: string[] = [instruction.kind.toUpperCase()];
  const { chown, chmod, sources, heredocs, destination } = instruction;
  if (instruction.kind === "copy" && instruction.parents) words.push("--parents");
  if (chown !== undefined) words.push(`--chown=${chown}`);
  if (chmod !== undefined) words.push(`--chmod=${chmod}`);
  words.push(...sources, ...heredocs.map(({ name }) => `<<${name}`), destination);
  return words.join(" ");
}

/** Paths of a context, a stage or an image. */
async function gatherTree(
  paths: readonly string[],
  { session, openSource }: CopyEnvironment,
  options: {
    from?: string | undefined;
    excludes: readonly string[];
    doubleStar?: boolean;
    unpack?: boolean;
  },
): Promise<GatheredSource> {
  const { from, excludes, doubleStar = false, unpack = false } = options;
  if (paths.length === 0) return { key: () => null, open: () => [] };
  const source = await openSource(from);
  return {
    ...source.kind === "layers" && source.layers.length > 0 && {
      contentKey: async () => {
        const { helper } = await session.open();
        using stack = new DisposableStack();
        const { root } = treeRoots(session, source, stack);
        if (root.kind !== "layers") return undefined;
        await ensureLayers(session, source.layers);
        const scratch = session.newDirectory();
        const digest = { root, paths, excludes, doubleStar, scratch };
        return ["content", await helper.do({ kind: "digest", digest }), paths];
      },
    },
    key: async () => [
      await keyOfSource(source, paths, { excludes, doubleStar }),
      paths,
      unpack,
    ],
    open: async (stack) => {
      if (source.kind === "layers") {
        await ensureLayers(session, source.layers);
      }
      const { root } = treeRoots(session, source, stack);
      return paths.map((path) => ({ kind: "tree", root, path, unpack }));
    },
  };
}

async function ensureLayers(
  session: BuildSession,
  layers: readonly BuildLayer[],
): Promise<void> {
  const { ensureThere } = await lazy<typeof import("./step_perform.ts")>(
    "./step_perform.ts",
    import.meta.url,
  );
  await ensureThere(session, layers);
}

/** What ADD names: paths, addresses, repositories. */
async function gatherAdd(
  instruction: AddInstruction,
  environment: CopyEnvironment,
): Promise<GatheredSource[]> {
  const { sources, excludes, unpack, checksum } = instruction;
  const gathered: GatheredSource[] = [];
  for (const source of sources) {
    if (isRemote(source)) {
      const { gatherRemote } = await lazy<typeof import("./add_remote.ts")>(
        "./add_remote.ts",
        import.meta.url,
      );
      gathered.push(await gatherRemote(source, instruction, environment));
      continue;
    }
    if (checksum !== undefined) {
      throw new DhowError(
        "invalid_argument",
        "checksum can't be specified for local sources",
      );
    }
    gathered.push(await gatherTree([source], environment, { excludes, unpack: unpack ?? true }));
  }
  return gathered;
}

function isRemote(source: string): boolean {
  return /^(https?|git|ssh):\/\//.test(source) || /^git@[^/]+:/.test(source);
}
