/**
 * What a failed write to the store means.
 *
 * @module
 */
import { DhowError, type ErrorCode } from "../errors.ts";

const CODES: Record<string, ErrorCode> = {
  ENOSPC: "no_space",
  EDQUOT: "no_space",
  EROFS: "read_only",
  EACCES: "read_only",
  EPERM: "read_only",
};

/**
 * Turns the operating system's error into one that says what dhow was doing; other errors come back as they are.
 *
 * @param doing What was being done, to what: `write image index "/x/index.json"`.
 */
export function explainDiskError(doing: string, error: unknown): unknown {
  const osCode = (error as { code?: unknown } | null)?.code;
  if (error instanceof DhowError || typeof osCode !== "string") return error;
  const code = CODES[osCode];
  if (code === undefined) return error;
  const reason = code === "no_space"
    ? osCode === "EDQUOT" ? "disk quota exceeded" : "no space left on the file system"
    : osCode === "EROFS"
    ? "the file system is read-only"
    : "permission denied";
  return new DhowError(code, `Cannot ${doing}: ${reason}`, { cause: error });
}
