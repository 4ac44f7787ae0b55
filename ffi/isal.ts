/**
 * gzip by Intel's libisal, in half of zlib's time; used where it is installed. It is as good on other processors.
 *
 * @see https://github.com/intel/isa-l
 * @module
 */
import {
  addressOf,
  CompressedDataError,
  type Decoder,
  lazily,
  openLibrary,
  OUTPUT_BYTES,
  type Sink,
} from "./decoder.ts";

const libisal = lazily(() =>
  openLibrary("libisal.so.2", {
    /** (struct inflate_state *state) */
    isal_inflate_init: { parameters: ["buffer"], result: "void" },
    /** (struct inflate_state *state) */
    isal_inflate_reset: { parameters: ["buffer"], result: "void" },
    /** (struct inflate_state *state) */
    isal_inflate: { parameters: ["buffer"], result: "i32" },
  })
);

/** Whether the library is installed. */
export const hasIsal: () => boolean = lazily(() => {
  try {
    libisal();
    return true;
  } catch {
    return false;
  }
});

/**
 * `struct inflate_state` of <isa-l/igzip_lib.h>: next_out, avail_out at 8, next_in at 16, avail_in at 32, then tables;
 * block_state and crc_flag in their midst. Some room is added for what newer versions may.
 */
const ISAL = { size: 87368 + 4096, blockState: 21160, crcFlag: 21172 };
const ISAL_BLOCK_FINISH = 5;
const ISAL_GZIP = 1;

/** Decodes gzip. */
export class IsalDecoder implements Decoder {
  readonly #state = new Uint8Array(ISAL.size);
  readonly #view = new DataView(this.#state.buffer);
  readonly #output = new Uint8Array(OUTPUT_BYTES);
  readonly #outputAddress = addressOf(this.#output);
  #position: "member" | "between" | "padding" = "member";
  #started = false;

  constructor() {
    libisal().isal_inflate_init(this.#state);
    this.#view.setUint32(ISAL.crcFlag, ISAL_GZIP, true);
  }

  push(input: Uint8Array<ArrayBuffer>, sink: Sink): void {
    let rest = input;
    while (rest.length > 0) {
      rest = this.#position === "member" ? this.#member(rest, sink) : this.#betweenMembers(rest);
    }
  }

  #member(input: Uint8Array<ArrayBuffer>, sink: Sink): Uint8Array<ArrayBuffer> {
    const view = this.#view;
    this.#started = true;
    view.setBigUint64(16, addressOf(input), true);
    view.setUint32(32, input.length, true);
    for (;;) {
      view.setBigUint64(0, this.#outputAddress, true);
      view.setUint32(8, OUTPUT_BYTES, true);
      if (libisal().isal_inflate(this.#state) !== 0) {
        throw new CompressedDataError("gzip data is corrupt");
      }
      const produced = OUTPUT_BYTES - view.getUint32(8, true);
      if (produced > 0) sink(this.#output.subarray(0, produced));
      const left = view.getUint32(32, true);
      if (view.getUint32(ISAL.blockState, true) === ISAL_BLOCK_FINISH) {
        this.#position = "between";
        return input.subarray(input.length - left);
      }
      if (left === 0 && produced < OUTPUT_BYTES) return input.subarray(input.length);
    }
  }

  /** Another member may follow, or zeros that a tape or a disk image added. */
  #betweenMembers(input: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (input[0] === 0x1f && this.#position === "between") {
      libisal().isal_inflate_reset(this.#state);
      this.#view.setUint32(ISAL.crcFlag, ISAL_GZIP, true);
      this.#position = "member";
      return input;
    }
    this.#position = "padding";
    if (input.some((byte) => byte !== 0)) {
      throw new CompressedDataError("gzip data is followed by something else");
    }
    return input.subarray(input.length);
  }

  end(): void {
    if (this.#started && this.#position === "member") {
      throw new CompressedDataError("gzip data ends too early");
    }
  }

  [Symbol.dispose](): void {}
}
