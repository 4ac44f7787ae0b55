/**
 * Words for a start that failed: docker's for a command that is not there or cannot be executed, else the op's own.
 *
 * @module
 */
import { errnoName, errnoText } from "../../ffi/errno.ts";
import { DhowError } from "../errors.ts";
import type { Process, Spec, SpecMount } from "../spec/runtime.ts";
import { EXEC_LABELS } from "./init_process.ts";
import { subpathLabel } from "./init_image_mount.ts";
import { INSIDE_PROC } from "./init_proc_guard.ts";
import { ONLY_TOP } from "./init_rootfs.ts";

/** Which op failed and why. */
export interface StartFailure {
  label: string;
  syscall: string;
  /** Positive. */
  errno: number;
}

/** What went wrong when a container's command was started. */
export function startError(failure: StartFailure, spec: Spec): DhowError {
  const below = spec.mounts.find((mount) =>
    mount.subpath !== undefined && subpathLabel(mount) === failure.label
  );
  return below === undefined ? processError(failure, spec.process) : subpathError(failure, below);
}

/** Docker's words for what cannot be found below a volume or an image, or leads out of it. */
function subpathError({ errno }: StartFailure, mount: SpecMount): DhowError {
  const { source = "", subpath } = mount;
  const code = errnoName(errno);
  if (code === "EXDEV" || code === "ELOOP") {
    return new DhowError(
      "start_failed",
      `path concatenation escapes the base directory, base: ${source}, subpath: ${subpath}`,
    );
  }
  const path = `${source}/${subpath}`;
  return new DhowError(
    code === "ENOENT" ? "command_not_found" : "start_failed",
    `cannot access path ${path}: lstat ${path}: ${errnoText(code)}`,
  );
}

/** What went wrong when `process` was started. */
export function processError(failure: StartFailure, process: Process): DhowError {
  const code = errnoName(failure.errno);
  const text = errnoText(code);
  const command = process.args[0] ?? "";
  const quoted = JSON.stringify(command);
  switch (failure.label) {
    case EXEC_LABELS.find:
      return new DhowError(
        "command_not_found",
        command.includes("/")
          ? `exec: ${quoted}: stat ${command}: ${text}`
          : `exec: ${quoted}: executable file not found in $PATH`,
      );
    case EXEC_LABELS.access:
      return new DhowError("command_not_executable", `exec: ${quoted}: ${text}`);
    case EXEC_LABELS.exec:
      if (code === "ENOENT") return new DhowError("command_not_found", `exec ${command}: ${text}`);
      return new DhowError(
        "command_not_executable",
        code === "EACCES" ? `exec: ${quoted}: ${text}` : `exec ${command}: ${text}`,
      );
    case EXEC_LABELS.chdir:
      return new DhowError(
        "start_failed",
        `chdir to cwd (${JSON.stringify(process.cwd)}) set in config.json failed: ${text}`,
      );
  }
  if (failure.label.endsWith(INSIDE_PROC)) {
    return new DhowError("start_failed", failure.label);
  }
  return new DhowError(
    "start_failed",
    `Cannot ${failure.label}: ${failure.syscall}: ${code}: ${text}${hint(failure, code)}`,
  );
}

/** What an errno that misleads means at this op. */
function hint({ label, syscall }: StartFailure, code: string): string {
  if (syscall === "clone" && code === "ENOSPC") {
    return " (a limit of /proc/sys/user/max_*_namespaces is reached)";
  }
  if (label.startsWith("mount the overlay") && (code === "EPERM" || code === "EINVAL")) {
    return " (the kernel allows no overlay in a user namespace here: Linux 5.11 is needed, and a file system with user xattrs)";
  }
  if (label.startsWith("mount the overlay") && code === "ENOENT") {
    return " (a layer of the image is missing from the store)";
  }
  if (label.endsWith(ONLY_TOP) && code === "EINVAL") {
    return " (the kernel lets no user namespace leave out what is mounted there: bind it recursively)";
  }
  if (code === "EACCES" && (syscall === "mount" || syscall === "unshare")) {
    return " (a security module does not allow it; dhow doctor may know how to)";
  }
  if (label.startsWith("become ") && code === "EINVAL") {
    return " (this id is outside the ids mapped for you; see /etc/subuid and /etc/subgid)";
  }
  if (label.startsWith("set RLIMIT_") && code === "EPERM") {
    return " (above the limit of the shell dhow runs in; see `ulimit -H -a`)";
  }
  if (label.startsWith("set the OOM score") && code === "EACCES") {
    return " (only root may lower it)";
  }
  if (label.includes("proc") && code === "EPERM") {
    return " (the host's own /proc is partly hidden, as inside another container)";
  }
  return "";
}
