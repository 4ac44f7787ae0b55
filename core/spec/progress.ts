/**
 * What is told while images travel: lines of docker's `POST /images/create` and `/images/NAME/push`, as values.
 *
 * @module
 */

/** What a layer, or the whole transfer, is doing: docker's words. */
export type TransferStatus =
  | "Pulling fs layer"
  | "Waiting"
  | "Downloading"
  | "Retrying"
  | "Verifying Checksum"
  | "Download complete"
  | "Extracting"
  | "Pull complete"
  | "Already exists"
  | "Preparing"
  | "Pushing"
  | "Pushed"
  | "Layer already exists";

/** Something about one layer. */
export interface LayerProgress {
  /** Tells it from a message. */
  kind: "layer";
  /** 12 hexadecimal digits of the layer's digest; of its diffID when pushing. */
  id: string;
  /** `Mounted from REPOSITORY` is the one word that holds a name. */
  status: TransferStatus | `Mounted from ${string}`;
  /** Bytes done, while there is something to count. */
  currentBytes?: number;
  /** Bytes there will be; absent if nobody knows. */
  totalBytes?: number;
}

/** A line of text about the whole: `Digest: sha256:...`. */
export interface TransferMessage {
  /** Tells it from a layer. */
  kind: "message";
  /** What it is about: a tag. */
  id?: string;
  /** What is said. */
  text: string;
}

/** One event of a transfer. */
export type TransferProgress = LayerProgress | TransferMessage;

/** An image that was pulled. */
export interface PulledImage {
  /** Digest of its config. */
  id: string;
  /** What the tag led to: digest of an index for several platforms, or of the manifest. */
  digest: string;
  /** In full: `docker.io/library/busybox:latest`. */
  reference: string;
  /** Whether the name meant another image before, or none. */
  isNew: boolean;
}

/** A tag that was pushed. */
export interface PushedImage {
  /** Digest of what was put under the tag. */
  digest: string;
  /** In full: `docker.io/library/busybox:latest`. */
  reference: string;
  /** Bytes of the manifest. */
  sizeBytes: number;
}

/** Who listens. Called often: at most some ten times a second for each layer. */
export type ProgressListener = (progress: TransferProgress) => void;
