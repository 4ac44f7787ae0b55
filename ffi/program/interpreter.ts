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
    threadPointer: 0x1f4,
    base64:
      "81O/qfMDAKr0AwCqigJAOYkGQDmLCkA5gAZBqYIOQqmEFkOpSQAANgAAQPlJAAg2IQBA+UkAEDZCAED5SQAYNmMAQPlJAC" +
      "A2hABA+UkAKDalAED5Xw0AcUMBAFSgAgBUXxUAccMCAFQABQBUXx0AcYMIAFRgCgBU81PBqMADX9aIBkD5AQAA1F8JAHFB" +
      "AABUAAEAtIAiAPkf/D+x4wYAVMoGADR0gh/4XwUAcWEGAFSMBkC5dAIMi9X//xd/CQBx4wAAVGABAFR/EQBxgAEAVB8AAe" +
      "vq/v9UKAAAFB8AAevsB58anwELa0D+/1QjAAAUHwAB6+v9/1QgAAAUHwAB6oH9/1QdAAAUawMANH8JAHGDAQBUoAEAVH8R" +
      "AHGjAQBUwAEAVH8ZAHHDAQBU4AEAVH8hAHHjAQBUAAjBmg4AABQAAAGLDAAAFAAAAcsKAAAUAAABiggAABQAAAGqBgAAFA" +
      "AgwZoEAAAUACTBmgIAABQAfAGbgCIA+ZQiAZGk//8XfwkAceMAAFQAAQBUfxUAcQMBAFQgAQBUAABA+fb//xcAAEA59P//" +
      "FwAAQHny//8XAABAufD//xcAAIC57v//F38JAHHDAABU4AAAVH8RAHHgAABUAQAA+ej//xcBAAA55v//FwEAAHnk//8XAQ" +
      "AAueL//xdA0DvVwANf1g==",
  },
};
