/**
 * Wire types of the Docker Engine API (1.51), as published: disk usage.
 *
 * @see https://docs.docker.com/reference/api/engine/
 * @module
 */
import type { ContainerSummary } from "./docker_container.ts";
import type { ImageSummary } from "./docker_image.ts";

/** One row of `docker system df`. */
export interface UsageTotal {
  /** How many there are. */
  count: number;
  /** How many are in use. */
  active: number;
  /** What they take on the disk, as du(1) counts. */
  bytes: number;
  /** What removing the unused ones would free. */
  reclaimableBytes: number;
}

/** A volume with its size. */
export interface VolumeUsage {
  /** Its name. */
  Name: string;
  /** Always `local`. */
  Driver: string;
  /** Where its content is. */
  Mountpoint: string;
  /** Its labels. */
  Labels: Record<string, string>;
  /** `links`: how many containers use it. */
  UsageData: { Size: number; RefCount: number };
}

/** `docker system df -v`. */
export interface DiskUsage {
  /** Blobs and unpacked layers. */
  images: UsageTotal & { items: (ImageSummary & { UniqueSize: number })[] };
  /** What containers have written, and their logs. */
  containers: UsageTotal & { items: ContainerSummary[] };
  /** Volumes. */
  volumes: UsageTotal & { items: VolumeUsage[] };
  /** Kept results of builds. */
  buildCache: UsageTotal;
}
