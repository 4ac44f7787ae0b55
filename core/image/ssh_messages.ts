/**
 * What two dhows say to each other when images travel, and the checks on it.
 *
 *     receiver: Hello   sender: Offer   receiver: Want   sender: for each blob wanted its bytes   receiver: Done
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isDigest } from "../lib/digest.ts";
import { printable } from "../lib/printable.ts";
import { canonicalReference, parseReference } from "../lib/reference.ts";
import type { Descriptor, Digest } from "../spec/image.ts";
import { DOCUMENT_MAX } from "../store/blob.ts";

/** The version of this exchange. */
export const TRANSFER_VERSION = 1;
/** More than any sane registry has. */
const IMAGES_MAX = 10_000;
const LAYERS_MAX = 1000;

/** What a receiver begins with; `names` where it asks for images, and is not just given some. */
export interface Hello {
  dhow: number;
  names?: string[];
  platform?: string;
}

/** An image that could travel. */
export interface OfferedImage {
  manifest: Descriptor;
  config: Descriptor;
  layers: Descriptor[];
  /** Canonical. */
  references: string[];
}

/** What a sender has. */
export interface Offer {
  images: OfferedImage[];
}

/** The blobs that a receiver lacks, in the order they shall come. */
export interface Want {
  want: Digest[];
}

/** What has arrived. */
export interface Done {
  done: { id: Digest; references: string[] }[];
}

/** Checks a greeting. @throws {DhowError} `unsupported` for another version, `invalid_argument`. */
export function checkHello(hello: Hello): Hello {
  if (hello.dhow !== TRANSFER_VERSION) {
    throw new DhowError(
      "unsupported",
      `The other dhow speaks version ${
        printable(JSON.stringify(hello.dhow) ?? "unknown", 20)
      } of the exchange, this one ${TRANSFER_VERSION}; use the same dhow on both sides`,
    );
  }
  const { names } = hello;
  const isSound = names === undefined ||
    Array.isArray(names) && names.length <= IMAGES_MAX && names.every(isText);
  if (isSound && (hello.platform === undefined || isText(hello.platform))) return hello;
  throw wrong("its list of names");
}

/** Checks an offer and leaves of it what is known. @throws {DhowError} `invalid_archive`. */
export function checkOffer(offer: Offer): OfferedImage[] {
  const { images } = offer;
  if (!Array.isArray(images) || images.length > IMAGES_MAX) throw wrong("its list of images");
  return images.map((image) => {
    const { manifest, config, layers, references } = (image ?? {}) as OfferedImage;
    if (!Array.isArray(layers) || layers.length > LAYERS_MAX) throw wrong("its list of layers");
    if (!Array.isArray(references) || !references.every(isText)) throw wrong("its names");
    return {
      manifest: checkDescriptor(manifest, DOCUMENT_MAX),
      config: checkDescriptor(config, DOCUMENT_MAX),
      layers: layers.map((layer) => checkDescriptor(layer, Number.MAX_SAFE_INTEGER)),
      references: references.map(checkReference),
    };
  });
}

function checkReference(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined || reference.tag === undefined) throw wrong("its names");
  return canonicalReference(reference);
}

function checkDescriptor(value: Descriptor, max: number): Descriptor {
  const { mediaType, digest, size } = value ?? {};
  const isSound = isText(mediaType) && isText(digest) && isDigest(digest) &&
    Number.isSafeInteger(size) && size >= 0 && size <= max;
  if (!isSound) throw wrong("a descriptor");
  return { mediaType, digest, size };
}

/** Checks which blobs are wanted. @throws {DhowError} `invalid_archive` if they were not offered. */
export function checkWant({ want }: Want, offered: ReadonlyMap<Digest, number>): Digest[] {
  if (Array.isArray(want) && want.every((digest) => offered.has(digest))) return want;
  throw wrong("the list of what it wants");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= 1024;
}

function wrong(what: string): DhowError {
  return new DhowError("invalid_archive", `Cannot make sense of the other dhow: ${what} is wrong`);
}
