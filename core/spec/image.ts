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
  /** What the blob is. */
  mediaType: string;
  /** What the blob must hash to. */
  digest: Digest;
  /** Length in bytes. */
  size: number;
  /** Where else to fetch it. */
  urls?: string[];
  /** Whatever the author adds. */
  annotations?: Record<string, string>;
  /** The blob itself in base64, if it is small. */
  data?: string;
  /** What an artifact is, if it is no image. */
  artifactType?: string;
  /** What the image pointed to runs on. */
  platform?: Platform;
}

/** What an image runs on. @see image-spec/image-index.md */
export interface Platform {
  /** Go's name of the processor: `amd64`, `arm64`. */
  architecture: string;
  /** Go's name of the operating system: `linux`. */
  os: string;
  /** Variant of the processor: `v7`. */
  variant?: string;
  /** Version of the operating system, Windows only. */
  "os.version"?: string;
  /** Features of the operating system it needs, Windows only. */
  "os.features"?: string[];
}

/** @see image-spec/manifest.md */
export interface Manifest {
  /** Always 2. */
  schemaVersion: 2;
  /** Its own media type. */
  mediaType?: string;
  /** What an artifact is, if it is no image. */
  artifactType?: string;
  /** The image config. */
  config: Descriptor;
  /** The layers, lowest first. */
  layers: Descriptor[];
  /** Another manifest that this one tells something about. */
  subject?: Descriptor;
  /** Whatever the author adds. */
  annotations?: Record<string, string>;
}

/** @see image-spec/image-index.md */
export interface Index {
  /** Always 2. */
  schemaVersion: 2;
  /** Its own media type. */
  mediaType?: string;
  /** One manifest a platform, or one a name. */
  manifests: Descriptor[];
  /** Whatever the author adds. */
  annotations?: Record<string, string>;
}

/** The image config blob. @see image-spec/config.md; the fields beyond it are docker's. */
export interface ImageConfig {
  /** RFC 3339. */
  created?: string;
  /** Who made it. */
  author?: string;
  /** Go's name of the processor: `amd64`, `arm64`. */
  architecture: string;
  /** Go's name of the operating system: `linux`. */
  os: string;
  /** Variant of the processor: `v7`. */
  variant?: string;
  /** How to run it. */
  config?: ImageRunConfig;
  /** DiffIDs of its layers, lowest first. */
  rootfs: { type: "layers"; diff_ids: Digest[] };
  /** The steps that made it, oldest first. */
  history?: History[];
  /** Docker's: `import --message`. */
  comment?: string;
  /** Docker's: the version that made it. */
  docker_version?: string;
}

/** The execution half of an image config; names are docker's, with capitals. */
export interface ImageRunConfig {
  /** `USER`: `name`, `uid`, `user:group`; empty for root. */
  User?: string;
  /** `EXPOSE`: `80/tcp` to `{}`. */
  ExposedPorts?: Record<string, Record<string, never>>;
  /** `ENV`: `NAME=value`. */
  Env?: string[] | null;
  /** `ENTRYPOINT`. */
  Entrypoint?: string[] | null;
  /** `CMD`: the default command, or the entrypoint's default arguments. */
  Cmd?: string[] | null;
  /** `VOLUME`: path to `{}`. */
  Volumes?: Record<string, Record<string, never>> | null;
  /** `WORKDIR`; empty for `/`. */
  WorkingDir?: string;
  /** `LABEL`. */
  Labels?: Record<string, string> | null;
  /** `STOPSIGNAL`, a name or number. */
  StopSignal?: string;
  /** Docker's: seconds between the stop signal and the kill. */
  StopTimeout?: number;
  /** `HEALTHCHECK`. */
  Healthcheck?: Healthcheck;
  /** `SHELL`: the shell of `RUN`, `CMD` and `ENTRYPOINT` in shell form. */
  Shell?: string[];
  /** `ONBUILD`: instructions for builds on top of this image. */
  OnBuild?: string[] | null;
  /** Windows only: the command line is escaped already. */
  ArgsEscaped?: boolean;
}

/** Docker's health check; durations are nanoseconds, 0 means inherit. */
export interface Healthcheck {
  /** `[]` inherit, `["NONE"]`, `["CMD", ...]` or `["CMD-SHELL", line]`. */
  Test?: string[];
  /** `--health-interval`: between two probes. */
  Interval?: number;
  /** `--health-timeout`: after this a probe is killed and has failed. */
  Timeout?: number;
  /** `--health-start-period`: failures in this time after the start do not count. */
  StartPeriod?: number;
  /** `--health-start-interval`: between two probes in the start period. */
  StartInterval?: number;
  /** `--health-retries`: so many failures in a row make it unhealthy. */
  Retries?: number;
}

/** One step of how an image came to be. */
export interface History {
  /** RFC 3339. */
  created?: string;
  /** The command or instruction. */
  created_by?: string;
  /** Who took the step. */
  author?: string;
  /** Whatever was noted. */
  comment?: string;
  /** The step made no layer. */
  empty_layer?: boolean;
}
