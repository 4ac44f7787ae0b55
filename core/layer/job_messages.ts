/**
 * What a dhow outside and its helper inside the user namespace say to each other, one line of JSON each.
 *
 * @module
 */
import type { WireError } from "../lib/wire_error.ts";
import type { AdoptRequest } from "./implied.ts";
import type { UnpackBlobRequest } from "./unpack_blob.ts";

/** An unpacking of a blob that may still be on its way. */
export interface GrowingUnpack {
  request: Omit<UnpackBlobRequest, "blob" | "openat2">;
  /** Where the blob may be, the likeliest first: it is renamed when it is complete. */
  names: string[];
}

/** Work to be done. */
export type LayerJob =
  | { kind: "unpack"; unpack: GrowingUnpack }
  | { kind: "adopt"; adopt: AdoptRequest }
  | { kind: "measure"; directory: string }
  | { kind: "remove"; trees: string[] };

/** To the helper: a job; or how much of the blob of one is there. */
export type JobMessage =
  | { id: number; job: LayerJob }
  | { id: number; filledBytes: number; isComplete: boolean };

/** From the helper: how far the blob was read; or what came of the job. */
export type JobAnswer =
  | { id: number; usedBytes: number }
  | { id: number; result: unknown }
  | { id: number; error: WireError };
