/**
 * A helper process inside the containers' user namespace that does any number of jobs: lines of JSON go to its stdin,
 * answers come from its stdout. It is started when there is something to do.
 *
 * @module
 */
import { type Fd, open, pipe, pollAsync, read, write } from "../../ffi/fd.ts";
import { O_RDWR, POLLIN } from "../../ffi/abi/constants.ts";
import { DhowError } from "../errors.ts";
import type { JobAnswer } from "../layer/job_messages.ts";
import { fromWire } from "../lib/wire_error.ts";
import { startInside } from "../runtime/inside.ts";
import type { UserNamespace } from "../runtime/userns.ts";

/** Which helper. */
export interface JobProcessOptions {
  /** Dhow's verb that does the jobs. */
  verb: string;
  /** What cannot be done without it, for errors: `work on layers`. */
  purpose: string;
  /** As `selfCommand()`. @default "fast" */
  memory?: "fast" | "small";
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  onUsed: ((usedBytes: number) => void) | undefined;
}

/** The near end. Disposing ends the process, and fails jobs that are not done. */
export class JobProcess<Message extends { id: number }> implements Disposable {
  readonly #namespace: UserNamespace;
  readonly #options: JobProcessOptions;
  readonly #pending = new Map<number, Pending>();
  #input: Fd | undefined;
  #stop: AbortController | undefined;
  #nextId = 0;

  /** @param namespace Is not disposed with this. */
  constructor(namespace: UserNamespace, options: JobProcessOptions) {
    this.#namespace = namespace;
    this.#options = options;
  }

  /** Starts the process, which takes a moment, before there is something to do. */
  prepare(): void {
    if (this.#input === undefined) this.#startProcess();
  }

  /**
   * Starts a job.
   *
   * @param message Makes the message of the job's number.
   * @param onUsed Told how much the job has read, if it says so.
   * @returns What comes of it; rejects with a `DhowError` of what the helper says.
   */
  start(
    message: (id: number) => Message,
    onUsed?: (usedBytes: number) => void,
  ): { id: number; result: Promise<unknown> } {
    this.prepare();
    const id = this.#nextId++;
    const result = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, onUsed });
    });
    this.#send(message(id));
    return { id, result };
  }

  /** Says more about a job, unless it is done. */
  tell(message: Message): void {
    if (this.#pending.has(message.id)) this.#send(message);
  }

  /** Kills the process: what it was doing fails with `reason`. The next job starts another. */
  stop(reason: unknown): void {
    this.#input?.close();
    this.#input = undefined;
    this.#stop?.abort();
    this.#stop = undefined;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }

  [Symbol.dispose](): void {
    this.stop(new DhowError("aborted", `Cannot ${this.#options.purpose}: the helper is closed`));
  }

  #send(message: Message): void {
    let rest = new TextEncoder().encode(JSON.stringify(message) + "\n");
    try {
      while (rest.length > 0) rest = rest.subarray(write(this.#input!.number, rest));
    } catch {
      // It has ended, which its output says.
    }
  }

  #startProcess(): void {
    const input = pipe();
    const output = pipe();
    using devNull = open("/dev/null", O_RDWR);
    const stop = new AbortController();
    try {
      const { ended } = startInside(this.#namespace, this.#options.verb, [], {
        stdin: input.read.number,
        stdout: output.write.number,
        // What it has to say it says in answers.
        stderr: Deno.env.get("DHOW_DEBUG") === undefined ? devNull.number : 2,
        signal: stop.signal,
        ...this.#options.memory && { memory: this.#options.memory },
      });
      this.#input = input.write;
      this.#stop = stop;
      this.#listen(output.read, ended.then(() => {}));
    } catch (error) {
      input.write.close();
      output.read.close();
      throw error;
    } finally {
      input.read.close();
      output.write.close();
    }
  }

  async #listen(output: Fd, ended: Promise<void>): Promise<void> {
    const own = this.#input;
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    let text = "";
    for (;;) {
      await pollAsync([{ fd: output.number, events: POLLIN }]);
      const n = read(output.number, buffer);
      if (n <= 0) break;
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
      const lines = text.split("\n");
      text = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line));
    }
    output.close();
    await ended;
    if (this.#input === own) {
      const { purpose } = this.#options;
      this.stop(new DhowError("internal", `Cannot ${purpose}: dhow's helper has ended`));
    }
  }

  #take(answer: JobAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    if ("usedBytes" in answer) return pending.onUsed?.(answer.usedBytes);
    this.#pending.delete(answer.id);
    if ("error" in answer) pending.reject(fromWire(answer.error));
    else pending.resolve(answer.result);
  }
}
