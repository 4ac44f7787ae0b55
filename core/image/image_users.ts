/**
 * What images need to know of containers, passed in from above.
 *
 * @module
 */
import type { Digest } from "../spec/image.ts";

/** A container as seen from its image. */
export interface ImageUser {
  containerId: string;
  imageId: Digest;
  running: boolean;
  /** The layers it stands on, lowest first. */
  diffIds: Digest[];
}
