/**
 * Events of images that the engine itself does not see: those of a build.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { readConfig } from "../image/stored_image.ts";
import type { Digest } from "../spec/image.ts";
import { appendEvent, makeEvent } from "./events.ts";

/** Writes one event of an image down. What cannot be written is not worth failing for. */
export function logImageEvent(paths: StorePaths, action: string, id: Digest, name: string): void {
  try {
    const labels = readConfig(paths, id).config?.Labels ?? {};
    appendEvent(paths.events, makeEvent("image", action, { id, attributes: { ...labels, name } }));
  } catch { /* a full disk must not make a build fail */ }
}
