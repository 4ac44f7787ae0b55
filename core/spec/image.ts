/**
 * Wire types of the OCI image-spec, as published: descriptors, manifests, indexes, image configs.
 *
 * @see https://github.com/opencontainers/image-spec
 * @module
 */

/** `algorithm:hex`, checked by `parseDigest()` before use. */
export type Digest = string;

/** A pointer to a blob. @see image-spec/descriptor.md */
export interface Descriptor {
  mediaType: string;
  digest: Digest;
  /** Length in bytes. */
  size: number;
  urls?: string[];
  annotations?: Record<string, string>;
  data?: string;
  artifactType?: string;
  platform?: Platform;
}

/** What an image runs on. @see image-spec/image-index.md */
export interface Platform {
  architecture: string;
  os: string;
  variant?: string;
  "os.version"?: string;
  "os.features"?: string[];
}

/** @see image-spec/manifest.md */
export interface Manifest {
  schemaVersion: 2;
  mediaType?: string;
  artifactType?: string;
  config: Descriptor;
  layers: Descriptor[];
  subject?: Descriptor;
  annotations?: Record<string, string>;
}

/** @see image-spec/image-index.md */
export interface Index {
  schemaVersion: 2;
  mediaType?: string;
  manifests: Descriptor[];
  annotations?: Record<string, string>;
}

/** The image config blob. @see image-spec/config.md; the fields beyond it are docker's. */
export interface ImageConfig {
  /** RFC 3339. */
  created?: string;
  author?: string;
  architecture: string;
  os: string;
  variant?: string;
  config?: ImageRunConfig;
  rootfs: { type: "layers"; diff_ids: Digest[] };
  history?: History[];
  comment?: string;
  docker_version?: string;
}

/** The execution half of an image config; names are docker's, with capitals. */
export interface ImageRunConfig {
  User?: string;
  ExposedPorts?: Record<string, Record<string, never>>;
  Env?: string[] | null;
  Entrypoint?: string[] | null;
  Cmd?: string[] | null;
  Volumes?: Record<string, Record<string, never>> | null;
  WorkingDir?: string;
  Labels?: Record<string, string> | null;
  StopSignal?: string;
  StopTimeout?: number;
  Healthcheck?: Healthcheck;
  Shell?: string[];
  OnBuild?: string[] | null;
  ArgsEscaped?: boolean;
}

/** Docker's health check; durations are nanoseconds, 0 means inherit. */
export interface Healthcheck {
  /** `[]` inherit, `["NONE"]`, `["CMD", ...]` or `["CMD-SHELL", line]`. */
  Test?: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

/** One step of how an image came to be. */
export interface History {
  created?: string;
  created_by?: string;
  author?: string;
  comment?: string;
  empty_layer?: boolean;
}
