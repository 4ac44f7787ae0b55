/**
 * `--log-driver` and `--log-opt`: which of docker's drivers dhow answers to, and how large a log may grow.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseBytes } from "../lib/units.ts";
import type { HostConfig } from "../spec/docker_api.ts";

/** Limits of a log. */
export interface LogLimits {
  /** Bytes in one file before it is rotated; 0 for no limit. */
  logMaxSize: number;
  /** Files kept, the current one included. */
  logMaxFiles: number;
}

/** As docker's `local` driver. */
const LOCAL: LogLimits = { logMaxSize: 20 << 20, logMaxFiles: 5 };
/** With `none` the log only serves those who are attached. */
const NONE: LogLimits = { logMaxSize: 16 << 20, logMaxFiles: 2 };

/** @throws {DhowError} `invalid_argument` in docker's words for an unknown driver or option. */
export function logLimits({ Type, Config }: HostConfig["LogConfig"]): LogLimits {
  switch (Type) {
    case "none":
      return NONE;
    case "local":
      return withOptions(LOCAL, Config);
    case "":
    case "json-file":
      return withOptions({ logMaxSize: 0, logMaxFiles: 1 }, Config);
    default:
      throw new DhowError(
        "invalid_argument",
        `logger: no log driver named '${Type}' is registered; dhow has json-file, local and none`,
      );
  }
}

function withOptions(defaults: LogLimits, options: Record<string, string>): LogLimits {
  const limits = { ...defaults };
  for (const [name, value] of Object.entries(options ?? {})) {
    if (name === "max-size") limits.logMaxSize = parseBytes(value);
    else if (name === "max-file") limits.logMaxFiles = parseCount(value);
    else if (
      !["compress", "mode", "max-buffer-size", "labels", "labels-regex", "env", "env-regex", "tag"]
        .includes(name)
    ) {
      throw new DhowError(
        "invalid_argument",
        `unknown log opt '${name}' for json-file log driver`,
      );
    }
  }
  if (limits.logMaxFiles > 1 && limits.logMaxSize === 0) {
    throw new DhowError("invalid_argument", "max-file cannot be set without max-size");
  }
  return limits;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new DhowError("invalid_argument", "max-file cannot be less than 1");
}
