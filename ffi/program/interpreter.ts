/**
 * The interpreter's machine code for each architecture, as assembled from the `.s` beside it.
 *
 * @module
 */

/** Machine code and the places in it. */
export interface Interpreter {
  code: Uint8Array<ArrayBuffer>;
  /** Offset of `thread_pointer`; `enter` is at 0. */
  threadPointer: number;
}

/** @throws {RangeError} On an architecture nobody wrote an interpreter for. */
export function interpreter(arch: string = Deno.build.arch): Interpreter {
  const found = INTERPRETERS[arch];
  if (found === undefined) {
    throw new RangeError(`dhow runs on x86_64 and aarch64, not on ${arch}`);
  }
  return { code: Uint8Array.fromBase64(found.base64), threadPointer: found.threadPointer };
}

const INTERPRETERS: Record<string, { base64: string; threadPointer: number }> = {
  x86_64: {
    threadPointer: 0x1c6,
    base64:
      "U0FUVUiJ+0mJ/EEPtmwkAUmLfCQQQPbFAXQDSIs/SYt0JBhA9sUCdANIizZJi1QkIED2xQR0A0iLEk2LVCQoQPbF" +
      "CHQDTYsSTYtEJDBA9sUQdANNiwBNi0wkOED2xSB0A02LCUEPtgQkQQ+2TCQCPANyInRePAVyaA+EpQAAADwHD4L6" +
      "AAAAD4QaAQAASIn4XUFcW8NJi0QkCA8FQYA8JAJ1BUiFwHQrSYlEJEBIPQHw//8Pgr8AAABBgDwkAA+EtAAAAEyJ" +
      "Y/hBgDwkAQ+FpQAAAEGLRCQETI0kA+kp////gPkEdDdIOfe4AAAAAA+cwLoAAAAAD5TCgPkBcg10EYD5A3IShMB0" +
      "yutthNJ1xOtnhNJ0vuthhMB1uOtbSIX3dbHrVEiJ+ID5AHRHgPkCchx0H4D5BHIfdCKA+QZyInQngPkIcikx0kj3" +
      "9usmSAHw6yFIKfDrHEgh8OsXSAnw6xKJ8UjT4OsLifFI0+jrBEgPr8ZJiUQkQEmDxEjpif7//4D5AnIOdBGA+QVy" +
      "EXQTSIsH698Ptgfr2g+3B+vViwfr0UhjB+vMgPkCcgx0D4D5BHQPSIk368BAiDfru2aJN+u2iTfrsmRIiwQlAAAA" +
      "AMM=",
  },
  aarch64: {
    threadPointer: 0,
    base64: "",
  },
};
