/**
 * Wire types of volumes in the Docker Engine API.
 *
 * @module
 */

/** What `docker volume inspect` shows. */
export interface VolumeInspect {
  /** RFC 3339. */
  CreatedAt: string;
  /** Always `local`. */
  Driver: string;
  /** Null where it has none. */
  Labels: Record<string, string> | null;
  /** Where its content is on the host. */
  Mountpoint: string;
  /** The name, or 64 hex digits of one made without. */
  Name: string;
  /** Of the driver; null where it has none. */
  Options: Record<string, string> | null;
  /** Always `local`. */
  Scope: string;
}

/** Body of `POST /volumes/create`. */
export interface VolumeCreate {
  /** Made up where it is absent. */
  Name?: string;
  /** Only `local`. @default "local" */
  Driver?: string;
  /** `type`, `device` and `o`. */
  DriverOpts?: Record<string, string>;
  /** Anything. */
  Labels?: Record<string, string>;
}
