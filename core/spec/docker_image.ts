/**
 * Wire types of the Docker Engine API (1.51), as published: what is said of an image.
 *
 * @see https://docs.docker.com/reference/api/engine/
 * @module
 */

/** `docker image inspect`, whole. */
export interface ImageInspect {
  /** Digest of the image's config. */
  Id: string;
  /** Its tags: `busybox:latest`. */
  RepoTags: string[];
  /** Its names by digest: `busybox@sha256:...`. */
  RepoDigests: string[];
  /** The image it was built on, on this machine; empty if unknown. */
  Parent: string;
  /** `import --message`. */
  Comment: string;
  /** RFC 3339. */
  Created: string;
  /** The version that made it; empty if it does not say. */
  DockerVersion: string;
  /** Who made it. */
  Author: string;
  /** Go's name of the processor: `amd64`, `arm64`. */
  Architecture: string;
  /** Variant of the processor: `v7`. */
  Variant?: string;
  /** The operating system: `linux`. */
  Os: string;
  /** Bytes of its unpacked layers. */
  Size: number;
  /** Where its layers are. */
  GraphDriver: { Data: Record<string, string> | null; Name: string };
  /** DiffIDs of its layers, lowest first. */
  RootFS: { Type: "layers"; Layers: string[] };
  /** When it was tagged here; `0001-01-01T00:00:00Z` for never. */
  Metadata: { LastTagTime: string };
  /** How to run it: an `ImageRunConfig` with docker's extra fields. */
  Config: Record<string, unknown>;
}

/** One row of `GET /images/json`. */
export interface ImageSummary {
  /** Digest of the image's config. */
  Id: string;
  /** The image it was built on, on this machine; empty if unknown. */
  ParentId: string;
  /** Its tags: `busybox:latest`. */
  RepoTags: string[];
  /** Its names by digest: `busybox@sha256:...`. */
  RepoDigests: string[];
  /** Unix seconds. */
  Created: number;
  /** Bytes of its unpacked layers. */
  Size: number;
  /** Bytes it shares with other images; -1 if nobody counted. */
  SharedSize: number;
  /** Its labels. */
  Labels: Record<string, string> | null;
  /** How many containers use it; -1 if nobody counted. */
  Containers: number;
}

/** One row of `GET /images/{name}/history`. */
export interface ImageHistoryItem {
  /** Of the image after this step, if it is here; else `<missing>`. */
  Id: string;
  /** Unix seconds. */
  Created: number;
  /** The command or instruction. */
  CreatedBy: string;
  /** Names of the image after this step. */
  Tags: string[] | null;
  /** Bytes of the layer it made. */
  Size: number;
  /** Whatever was noted. */
  Comment: string;
}
