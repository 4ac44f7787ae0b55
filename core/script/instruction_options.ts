/**
 * What the instructions of an image take besides.
 *
 * @module
 */
import type { StageSource } from "./image_builder.ts";

/** `--mount` of `RUN`. */
export type RunMountOptions =
  & {
    /** Path in the container. */
    target?: string;
    /** Whether it cannot be written to. */
    readonly?: boolean;
  }
  & (
    | { type: "bind"; source?: string; from?: StageSource }
    | {
      type: "cache";
      id?: string;
      sharing?: "shared" | "private" | "locked";
      from?: StageSource;
      source?: string;
      mode?: string;
      uid?: number;
      gid?: number;
    }
    | { type: "tmpfs"; size?: string }
    | {
      type: "secret";
      id?: string;
      env?: string;
      required?: boolean;
      mode?: string;
      uid?: number;
      gid?: number;
    }
    | { type: "ssh"; id?: string; required?: boolean; mode?: string; uid?: number; gid?: number }
  );

/** How to run a command. */
export interface RunInstructionOptions {
  /** `--mount`: files that are there only meanwhile. */
  mounts?: readonly RunMountOptions[];
  /** `--network`. @default that of the build */
  network?: "default" | "none" | "host";
  /** `--security`; `insecure` has to be allowed. */
  security?: "sandbox" | "insecure";
}

/** What `copy()` and `add()` share. */
export interface TransferInstructionOptions {
  /** `--chown`: `user:group`. */
  chown?: string;
  /** `--chmod`: `755`. */
  chmod?: string;
  /** `--link`. */
  link?: boolean;
  /** `--exclude`. */
  exclude?: readonly string[];
}

/** How to copy. */
export interface CopyOptions extends TransferInstructionOptions {
  /** `--from`. @default the context */
  from?: StageSource;
  /** `--parents`. */
  parents?: boolean;
}

/** How to add. */
export interface AddOptions extends TransferInstructionOptions {
  /** `--checksum`: `sha256:...`. */
  checksum?: string;
  /** `--keep-git-dir`. */
  keepGitDir?: boolean;
  /** `--unpack`. @default local archives only */
  unpack?: boolean;
}

/** When a healthcheck runs; times as a Dockerfile has them: `30s`. */
export interface HealthcheckOptions {
  /** Between two checks. @default "30s" */
  interval?: string;
  /** A check that takes longer has failed. @default "30s" */
  timeout?: string;
  /** How long failures do not count after the start. @default "0s" */
  startPeriod?: string;
  /** Between two checks meanwhile. @default "5s" */
  startInterval?: string;
  /** So many failures in a row make it unhealthy. @default 3 */
  retries?: number;
}
