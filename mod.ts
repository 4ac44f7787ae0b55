/**
 * dhow as a module: containers from TypeScript, without a daemon and without root.
 *
 * ```ts ignore
 * import { run } from "dhow";
 *
 * await using box = await run("busybox", { cmd: ["sleep", "60"] });
 * console.log(await box.exec(["hostname"]).text());
 * ```
 *
 * @module
 */
export { Container, run, type RunOptions } from "./core/script/container.ts";
export { Command, CommandError, type CommandResult } from "./core/script/command.ts";
export type { ContainerOptions } from "./core/script/create_request.ts";
export { image, ImageBuilder, type StageSource } from "./core/script/image_builder.ts";
export type {
  AddOptions,
  CopyOptions,
  HealthcheckOptions,
  RunInstructionOptions,
  RunMountOptions,
  TransferInstructionOptions,
} from "./core/script/instruction_options.ts";
export type { CommandWords } from "./core/script/dockerfile_text.ts";
export type { BuildScriptOptions, SecretSource } from "./core/script/build.ts";
export type { BuiltImage } from "./core/script/built_image.ts";
export {
  images,
  type ImagesOptions,
  pull,
  push,
  type TransferScriptOptions,
} from "./core/script/images.ts";
export { openLocalEngine as engine } from "./core/engine/local.ts";
export type { LocalEngine, LocalEngineOptions } from "./core/engine/local.ts";
export type {
  AttachedStream,
  AttachOptions,
  Builder,
  BuildOptions,
  CallOptions,
  CommitOptions,
  ContainerArchive,
  ContainerChange,
  Containers,
  Engine,
  Images,
  LayerProgress,
  ListContainersOptions,
  LogRecord,
  LogsOptions,
  Networks,
  OutputChunk,
  PathStat,
  ProgressListener,
  PruneCacheOptions,
  PruneReport,
  PulledImage,
  PushedImage,
  SaveOptions,
  System,
  SystemPruneOptions,
  SystemPruneReport,
  TransferMessage,
  TransferOptions,
  TransferProgress,
  TransferStatus,
  Volumes,
} from "./core/engine/engine.ts";
export type { CacheRecord } from "./core/build/prune_cache.ts";
export type * from "./core/build/request.ts";
export type * from "./core/build/dockerfile/ast.ts";
export { DhowError, type ErrorCode } from "./core/errors.ts";
export type * from "./core/spec/docker_api.ts";
export type { Digest, Healthcheck } from "./core/spec/image.ts";
export type { HostCheck } from "./core/engine/engine.ts";
export type { StorePaths } from "./core/host/paths.ts";
