/**
 * Waiting for files to change, by inotify(7).
 *
 * @module
 */
import { IN_CLOEXEC, IN_NONBLOCK, POLLIN } from "./abi/constants.ts";
import { eventfd, Fd, pollAsync, read, WAKE, write } from "./fd.ts";
import { check, cString, openLibc } from "./libc.ts";

const libc = openLibc({
  inotify_init1: { parameters: [/* flags */ "i32"], result: "i32" },
  inotify_add_watch: {
    parameters: [/* fd */ "i32", /* path */ "buffer", /* mask */ "u32"],
    result: "i32",
  },
});

/** Watches some files; `changed()` resolves when something happened to any of them since the last time. */
export class Watcher implements Disposable {
  readonly #inotify: Fd;
  readonly #wake: Fd;
  readonly #buffer = new Uint8Array(4096);
  #pending: Promise<void> | undefined;
  #disposed = false;

  constructor() {
    this.#inotify = new Fd(check("inotify_init1", libc.inotify_init1(IN_CLOEXEC | IN_NONBLOCK)));
    this.#wake = eventfd();
  }

  /** Adds a path. @param mask Bit set of `IN_*`. */
  add(path: string, mask: number): void {
    const watch = libc.inotify_add_watch(this.#inotify.number, cString(path), mask);
    check("inotify_add_watch", watch, path);
  }

  /** Whether something has happened already; forgets it. */
  drain(): boolean {
    let any = false;
    while (read(this.#inotify.number, this.#buffer) > 0) any = true;
    return any;
  }

  /** Resolves at the next change, at once if there was one since the last call, or after disposal. */
  changed(): Promise<void> {
    if (this.#disposed || this.drain()) return Promise.resolve();
    this.#pending ??= this.#wait();
    return this.#pending;
  }

  async #wait(): Promise<void> {
    await pollAsync([
      { fd: this.#inotify.number, events: POLLIN },
      { fd: this.#wake.number, events: POLLIN },
    ]);
    this.#pending = undefined;
    if (this.#disposed) this.#close();
    else this.drain();
  }

  #close(): void {
    this.#inotify.close();
    this.#wake.close();
  }

  /** Stops watching; a pending `changed()` resolves. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (this.#pending === undefined) this.#close();
    else write(this.#wake.number, WAKE);
  }
}
