/**
 * `containers/<id>/run`: what the monitor itself writes down of a run, binary, since it is a syscall program.
 *
 * 128 bytes, little-endian i64 fields: 0 magic, 8 monitor pid, 16 init pid, 24 and 32 start (seconds, nanoseconds);
 * written at once when init runs. 64 the word 1, 72 wait status, 80 and 88 end (seconds, nanoseconds); written at once
 * when init has ended and its output is in the log.
 *
 * @module
 */
import { decodeWaitStatus } from "../../ffi/process.ts";

export const RUN_MAGIC = 0x3152484477_6f6864n;
export const RUN_RECORD_SIZE = 128;
/** Where the second half begins. */
export const RUN_EXIT_AT = 64;

/** One run of a container. */
export interface RunRecord {
  monitorPid: number;
  initPid: number;
  /** Unix nanoseconds. */
  startedAt: bigint;
  /** Present when it has ended. */
  exit?: { code: number; signal: number; /** Unix nanoseconds. */ finishedAt: bigint };
}

/** Decodes a record; undefined for one that was never written or is cut short. */
export function decodeRunRecord(bytes: Uint8Array<ArrayBuffer>): RunRecord | undefined {
  if (bytes.length < RUN_EXIT_AT) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number) => view.getBigInt64(at, true);
  const time = (at: number) => word(at) * 1_000_000_000n + word(at + 8);
  if (word(0) !== RUN_MAGIC) return undefined;
  const record: RunRecord = {
    monitorPid: Number(word(8)),
    initPid: Number(word(16)),
    startedAt: time(24),
  };
  if (bytes.length >= RUN_RECORD_SIZE && word(RUN_EXIT_AT) === 1n) {
    const { exitCode, signal } = decodeWaitStatus(Number(word(72)));
    record.exit = { code: exitCode, signal, finishedAt: time(80) };
  }
  return record;
}
