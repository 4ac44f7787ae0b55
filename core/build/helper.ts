/**
 * The build's helper: one process inside the containers' user namespace that copies, packs and removes as its root. It
 * is started when there is something to do and lives as long as the build; each job has a thread.
 *
 * @module
 */
import { type Fd, open, pipe, pollAsync, read, write } from "../../ffi/fd.ts";
import { O_RDWR, POLLIN } from "../../ffi/abi/constants.ts";
import { DhowError } from "../errors.ts";
import { fromWire } from "../layer/job_messages.ts";
import { startInside } from "../runtime/inside.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import type { BuildJob, BuildJobAnswer, BuildJobMessage } from "./build_jobs.ts";

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Does jobs; disposing ends the process, and jobs that are not done. */
export class BuildHelper implements Disposable {
  readonly #namespace: UserNamespace;
  readonly #pending = new Map<number, Pending>();
  #input: Fd | undefined;
  #stop: AbortController | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #nextId = 0;

  /** @param namespace Is not disposed with this. */
  constructor(namespace: UserNamespace) {
    this.#namespace = namespace;
  }

  /** Starts the process, which takes a moment, before there is something to do. */
  prepare(): void {
    if (this.#input === undefined) this.#startProcess();
  }

  /** Does a job. @throws {DhowError} What the helper says. */
  do(job: BuildJob): Promise<unknown> {
    this.prepare();
    const id = this.#nextId++;
    const result = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    this.#send({ id, job });
    return result;
  }

  /** Kills the process: what it was doing fails with `reason`. The next job starts another. */
  async stop(reason: unknown): Promise<void> {
    const ended = this.#ended;
    this.#end(reason);
    await ended;
  }

  #send(message: BuildJobMessage): void {
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
      const { ended } = startInside(this.#namespace, "__build", [], {
        stdin: input.read.number,
        stdout: output.write.number,
        stderr: Deno.env.get("DHOW_DEBUG") === undefined ? devNull.number : 2,
        signal: stop.signal,
      });
      this.#input = input.write;
      this.#stop = stop;
      this.#ended = ended;
      this.#listen(output.read);
    } catch (error) {
      input.write.close();
      output.read.close();
      throw error;
    } finally {
      input.read.close();
      output.write.close();
    }
  }

  async #listen(output: Fd): Promise<void> {
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
    if (this.#input === own) {
      this.#end(new DhowError("internal", "Cannot go on building: dhow's helper has ended"));
    }
  }

  #take(answer: BuildJobAnswer): void {
    const pending = this.#pending.get(answer.id);
    if (pending === undefined) return;
    this.#pending.delete(answer.id);
    if ("error" in answer) pending.reject(fromWire(answer.error));
    else pending.resolve(answer.result);
  }

  #end(reason: unknown): void {
    this.#input?.close();
    this.#input = undefined;
    this.#stop?.abort();
    this.#stop = undefined;
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }

  [Symbol.dispose](): void {
    this.#end(new DhowError("aborted", "Cannot go on building: the helper is closed"));
  }
}
