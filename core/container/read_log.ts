/**
 * `docker logs`.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import type { LogRecord, LogsOptions } from "../spec/streams.ts";
import { followLog, readLog } from "./log_reader.ts";
import { containerDirectory, readRecord } from "./record.ts";
import { hasEnded, watchContainer } from "./run_watch.ts";

/**
 * A container's log records.
 *
 * @throws {DhowError} `unsupported`, in docker's words, for the driver `none`.
 * @throws The signal's reason when it aborts.
 */
export async function* readContainerLog(
  paths: StorePaths,
  id: string,
  options: LogsOptions,
): AsyncGenerator<LogRecord> {
  const directory = containerDirectory(paths, id);
  const { hostConfig } = readRecord(paths, id);
  if (hostConfig.LogConfig.Type === "none") {
    throw new DhowError("unsupported", "configured logging driver does not support reading");
  }
  const { follow, signal, ...part } = options;
  if (!follow) {
    yield* readLog(`${directory}/log`, part);
    return;
  }
  signal?.throwIfAborted();
  using watcher = watchContainer(directory);
  const wake = () => watcher[Symbol.dispose]();
  signal?.addEventListener("abort", wake);
  try {
    yield* followLog(`${directory}/log`, {
      ...part,
      ...signal && { signal },
      changed: () => watcher.changed(),
      isEnded: () => hasEnded(directory),
    });
  } finally {
    signal?.removeEventListener("abort", wake);
  }
  signal?.throwIfAborted();
}
