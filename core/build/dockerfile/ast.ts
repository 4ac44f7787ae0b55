/**
 * A Dockerfile taken apart: what the parser makes, what mod.ts's builder makes by hand, what the executor runs.
 *
 * Words are as they were written: variables are in them still, quotes and escapes too. `expandInstruction()` makes them
 * plain when an instruction's turn has come, since what `ENV` and `ARG` say depends on the stages and images below.
 *
 * @see https://docs.docker.com/reference/dockerfile/
 * @module
 */

/** Where something was written. Lines count from 1; both are included. */
export interface SourceRange {
  /** First line. */
  start: number;
  /** Last line. */
  end: number;
}

/** A whole Dockerfile. */
export interface Dockerfile {
  /** What it is called in messages: `Dockerfile`. */
  name: string;
  /** Its lines, for messages. */
  lines: readonly string[];
  /** Its `# name=value` comments at the top. */
  directives: Directives;
  /** `ARG` instructions before the first `FROM`. */
  globalArgs: readonly ArgInstruction[];
  /** At least one. */
  stages: readonly Stage[];
}

/** Parser directives. */
export interface Directives {
  /** Image of a frontend; said, not used. */
  syntax?: string;
  /** Character that escapes. @default "\\" */
  escape: "\\" | "`";
  /** `skip=...;error=true`, as written. */
  check?: string;
}

/** From a `FROM` up to the next one. */
export interface Stage {
  /** Counts from 0. */
  index: number;
  /** `AS name`, in lower case. */
  name?: string;
  /** Image or earlier stage, unexpanded. */
  base: string;
  /** `--platform`, unexpanded. */
  platform?: string;
  /** Where its `FROM` is. */
  range: SourceRange;
  /** `FROM ... AS ...` as it was written, on one line. */
  original: string;
  /** Comments right above it, without `#`. */
  comments?: readonly string[];
  /** What it does, in order. */
  instructions: readonly Instruction[];
}

/** What every instruction has. */
export interface InstructionBase {
  /** Where it was written. */
  range: SourceRange;
  /** As it was written, continuations joined; what the display shows. */
  original: string;
  /** Comments right above it, without `#`. */
  comments?: readonly string[];
}

/** A command line: in the shell's words, or one argument an entry. */
export type CommandLine =
  | { form: "exec"; args: readonly string[] }
  | { form: "shell"; text: string };

/** Text given in the Dockerfile itself. */
export interface Heredoc {
  /** The word behind `<<`, without quotes. */
  name: string;
  /** With the tabs of `<<-` taken away. */
  content: string;
  /** Whether variables in it are expanded: false if the word was quoted. */
  expand: boolean;
}

/** `NAME=value` or `NAME value`. */
export interface KeyValue {
  /** Name. */
  key: string;
  /** Unexpanded. */
  value: string;
  /** Whether a blank stood between them, the form of old. */
  isLegacy?: boolean;
}

/** `ARG`. */
export interface ArgInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "arg";
  /** One or several; no value where none was given. */
  args: readonly { key: string; value?: string }[];
}

/** `ENV`. */
export interface EnvInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "env";
  /** In the order they were written. */
  pairs: readonly KeyValue[];
}

/** `LABEL`. */
export interface LabelInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "label";
  /** In the order they were written. */
  pairs: readonly KeyValue[];
}

/** `MAINTAINER`. */
export interface MaintainerInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "maintainer";
  /** As written. */
  name: string;
}

/** `RUN`. */
export interface RunInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "run";
  /** What is run. */
  command: CommandLine;
  /** In shell form: `RUN <<EOF`; the command's text holds the words as written. */
  heredocs: readonly Heredoc[];
  /** `--mount`. */
  mounts: readonly RunMount[];
  /** `default`, `none`, `host`. */
  network?: string;
  /** `insecure`, `sandbox`. */
  security?: string;
}

/**
 * `RUN --mount=...`. What holds variables is whole after `expandInstruction()`; `from` never does.
 */
export interface RunMount {
  /** What was written behind `--mount=`; read again when variables have values. */
  option?: string;
  /** What is mounted. */
  type: "bind" | "cache" | "tmpfs" | "secret" | "ssh";
  /** Where; optional for `secret` and `ssh`. */
  target?: string;
  /** Path within `from` or the context. */
  source?: string;
  /** Stage, image or named context. */
  from?: string;
  /** Undefined: the type's default. */
  readonly?: boolean;
  /** Of a cache, a secret, or an ssh agent. */
  id?: string;
  /** Of a cache. */
  sharing?: "shared" | "private" | "locked";
  /** Whether it must be given. */
  required?: boolean;
  /** Permission bits. */
  mode?: number;
  /** Owner. */
  uid?: number;
  /** Group. */
  gid?: number;
  /** Of a tmpfs, in bytes. */
  sizeBytes?: number;
  /** Variable to put a secret in. */
  env?: string;
}

/** What `COPY` and `ADD` share. */
export interface TransferBase extends InstructionBase {
  /** Paths, wildcards, addresses; what is given in the Dockerfile itself is in `heredocs`. */
  sources: readonly string[];
  /** Files whose content is in the Dockerfile. */
  heredocs: readonly Heredoc[];
  /** Where to; unexpanded. */
  destination: string;
  /** `USER:GROUP`. */
  chown?: string;
  /** Octal or, newer, symbolic. */
  chmod?: string;
  /** `--link`. */
  link: boolean;
  /** Patterns of `--exclude`. */
  excludes: readonly string[];
}

/** `COPY`. */
export interface CopyInstruction extends TransferBase {
  /** Which instruction it is. */
  kind: "copy";
  /** `--from`: stage, image or named context. */
  from?: string;
  /** `--parents`. */
  parents: boolean;
}

/** `ADD`. */
export interface AddInstruction extends TransferBase {
  /** Which instruction it is. */
  kind: "add";
  /** `sha256:...`. */
  checksum?: string;
  /** `--keep-git-dir`. */
  keepGitDir: boolean;
  /** Undefined: local archives are unpacked, remote ones are not. */
  unpack?: boolean;
}

/** `CMD`. */
export interface CmdInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "cmd";
  /** What is run. */
  command: CommandLine;
}

/** `ENTRYPOINT`. */
export interface EntrypointInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "entrypoint";
  /** What is run. */
  command: CommandLine;
}

/** `SHELL`. */
export interface ShellInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "shell";
  /** Program and arguments. */
  args: readonly string[];
}

/** `EXPOSE`. */
export interface ExposeInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "expose";
  /** `80`, `80/udp`, `8000-8010`. */
  ports: readonly string[];
}

/** `VOLUME`. */
export interface VolumeInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "volume";
  /** As written. */
  paths: readonly string[];
}

/** `USER`. */
export interface UserInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "user";
  /** `USER[:GROUP]`, unexpanded. */
  user: string;
}

/** `WORKDIR`. */
export interface WorkdirInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "workdir";
  /** Unexpanded. */
  path: string;
}

/** `STOPSIGNAL`. */
export interface StopSignalInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "stopsignal";
  /** Name or number, unexpanded. */
  signal: string;
}

/** `HEALTHCHECK`; all times in nanoseconds. */
export interface HealthcheckInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "healthcheck";
  /** Undefined: `HEALTHCHECK NONE`. */
  command?: CommandLine;
  /** `--interval`. */
  intervalNs?: number;
  /** `--timeout`. */
  timeoutNs?: number;
  /** `--start-period`. */
  startPeriodNs?: number;
  /** `--start-interval`. */
  startIntervalNs?: number;
  /** `--retries`. */
  retries?: number;
}

/** `ONBUILD`. */
export interface OnBuildInstruction extends InstructionBase {
  /** Which instruction it is. */
  kind: "onbuild";
  /** The instruction to come, as written. */
  trigger: string;
}

/** One instruction of a stage. */
export type Instruction =
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | MaintainerInstruction
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | CmdInstruction
  | EntrypointInstruction
  | ShellInstruction
  | ExposeInstruction
  | VolumeInstruction
  | UserInstruction
  | WorkdirInstruction
  | StopSignalInstruction
  | HealthcheckInstruction
  | OnBuildInstruction;

/** Something that one of BuildKit's checks finds fault with; the build goes on. */
export interface BuildWarning {
  /** Name of the check: `StageNameCasing`. */
  rule: string;
  /** What the check is about, in general. */
  description: string;
  /** Where one reads more. */
  url: string;
  /** What is wrong here. */
  message: string;
  /** Where, if it is anywhere. */
  range?: SourceRange;
}
