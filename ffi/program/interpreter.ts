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
    threadPointer: 0x1cc,
    base64:
      "U0FUVUiJ+0mJ/EEPtmwkAUmLfCQQQPbFAXQDSIs/SYt0JBhA9sUCdANIizZJi1QkIED2xQR0A0iLEk2LVCQoQPbFCHQDTYsSTY" +
      "tEJDBA9sUQdANNiwBNi0wkOED2xSB0A02LCUEPtgQkQQ+2TCQCPANyInRePAVyaA+EpQAAADwHD4L6AAAAD4QdAQAASIn4XUFc" +
      "W8NJi0QkCA8FQYA8JAJ1BUiFwHQrSYlEJEBIPQHw//8Pgr8AAABBgDwkAA+EtAAAAEyJY/hBgDwkAQ+FpQAAAEGLRCQETI0kA+" +
      "kp////gPkEdDdIOfe4AAAAAA+cwLoAAAAAD5TCgPkBcg10EYD5A3IShMB0yutthNJ1xOtnhNJ0vuthhMB1uOtbSIX3dbHrVEiJ" +
      "+ID5AHRHgPkCchx0H4D5BHIfdCKA+QZyInQngPkIcikx0kj39usmSAHw6yFIKfDrHEgh8OsXSAnw6xKJ8UjT4OsLifFI0+jrBE" +
      "gPr8ZJiUQkQEmDxEjpif7//0gB94D5AnIOdBGA+QVyEXQTSIsH69wPtgfr1w+3B+vSiwfrzkhjB+vJSAHXgPkCcgx0D4D5BHQP" +
      "SIk367pAiDfrtWaJN+uwiTfrrGRIiwQlAAAAAMM=",
  },
  aarch64: {
    threadPointer: 0x1fc,
    base64:
      "81O/qfMDAKr0AwCqigJAOYkGQDmLCkA5gAZBqYIOQqmEFkOpSQAANgAAQPlJAAg2IQBA+UkAEDZCAED5SQAYNmMAQPlJACA2hA" +
      "BA+UkAKDalAED5Xw0AcUMBAFSgAgBUXxUAccMCAFQABQBUXx0AcYMIAFSACgBU81PBqMADX9aIBkD5AQAA1F8JAHFBAABUAAEA" +
      "tIAiAPkf/D+x4wYAVMoGADR0gh/4XwUAcWEGAFSMBkC5dAIMi9X//xd/CQBx4wAAVGABAFR/EQBxgAEAVB8AAevq/v9UKAAAFB" +
      "8AAevsB58anwELa0D+/1QjAAAUHwAB6+v9/1QgAAAUHwAB6oH9/1QdAAAUawMANH8JAHGDAQBUoAEAVH8RAHGjAQBUwAEAVH8Z" +
      "AHHDAQBU4AEAVH8hAHHjAQBUAAjBmg4AABQAAAGLDAAAFAAAAcsKAAAUAAABiggAABQAAAGqBgAAFAAgwZoEAAAUACTBmgIAAB" +
      "QAfAGbgCIA+ZQiAZGk//8XAAABi38JAHHjAABUAAEAVH8VAHEDAQBUIAEAVAAAQPn1//8XAABAOfP//xcAAEB58f//FwAAQLnv" +
      "//8XAACAue3//xcAAAKLfwkAccMAAFTgAABUfxEAceAAAFQBAAD55v//FwEAADnk//8XAQAAeeL//xcBAAC54P//F0DQO9XAA1" +
      "/W",
  },
};
