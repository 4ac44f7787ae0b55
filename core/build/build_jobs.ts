/**
 * What a build asks of its helper inside the containers' user namespace.
 *
 * @module
 */
import type { WireError } from "../lib/wire_error.ts";

/** What mounts layers: the kernel, or a program. */
export type OverlayKind = "overlay" | "fuse-overlayfs";

/** A tree that files are copied from. */
export type TreeRoot =
  | {
    kind: "directory";
    path: string;
    /** Lines of a `.dockerignore`. */
    ignore: readonly string[];
  }
  | {
    kind: "layers";
    overlay: OverlayKind;
    /** What the names are relative to. */
    base: string;
    /** Topmost first. */
    names: readonly string[];
  };

/** One thing to be copied. */
export type CopySource =
  | {
    kind: "tree";
    root: TreeRoot;
    /** Path or wildcard below the root. */
    path: string;
    /** An `ADD`: archives are unpacked. */
    unpack: boolean;
  }
  | { kind: "text"; name: string; content: string }
  | {
    kind: "file";
    /** On the host; made for this build. */
    path: string;
    name: string;
    unpack: boolean;
    mode: number;
    /** Unix seconds. */
    mtime?: number;
  };

/** Where an overlay is to be mounted, with the layer that is to be made as its upper directory. */
export interface TargetRoot {
  kind: OverlayKind;
  base: string;
  /** Topmost first; none for an image from nothing. */
  names: readonly string[];
  /** The layer; is made. */
  upper: string;
  /** A directory for what is needed meanwhile; is made, and left to be removed. */
  scratch: string;
}

/** `COPY` and `ADD`. */
export interface CopyRequest {
  target: TargetRoot;
  sources: readonly CopySource[];
  /** Absolute; ends in a slash if it must be a directory. */
  destination: string;
  /** `USER[:GROUP]`; undefined for root's, or as it is in a stage. */
  owner?: string;
  /** Octal or symbolic. */
  mode?: string;
  parents: boolean;
  excludes: readonly string[];
  /** Unix seconds: what is made gets this time. */
  epoch?: number;
}

/** `WORKDIR`. */
export interface MakeDirectoryRequest {
  target: TargetRoot;
  path: string;
  /** `USER` of the image. */
  owner?: string;
}

/** Packs a layer. */
export interface PackRequest {
  /** Unpacks it here at the same time: as the kernel's overlay wants layers, whoever has written it. */
  into?: string;
  /** The layer's directory. */
  upper: string;
  /** Those below, the topmost first, as absolute paths. */
  lowers: readonly string[];
  /** The store's. */
  root: string;
  /** Unix seconds: later times become this one. */
  epoch?: number;
}

/** What paths of layers hold, as one digest. */
export interface DigestRequest {
  root: TreeRoot & { kind: "layers" };
  paths: readonly string[];
  excludes: readonly string[];
  /** Whether `**` means directories of any depth. */
  doubleStar: boolean;
  /** A directory to mount on; is made, and left to be removed. */
  scratch: string;
}

/** Packs several layers as one. */
export interface SquashRequest {
  overlay: OverlayKind;
  /** What `names` are relative to. */
  base: string;
  /** All layers, the topmost first. */
  names: readonly string[];
  /** Those that stay, the topmost first, as absolute paths. */
  lowers: readonly string[];
  /** The new layer's directory; is made. */
  into: string;
  /** Is made, and left to be removed. */
  scratch: string;
  /** The store's. */
  root: string;
  /** Unix seconds: later times become this one. */
  epoch?: number;
}

/** Work for the helper. */
export type BuildJob =
  | { kind: "copy"; copy: CopyRequest }
  | { kind: "mkdir"; mkdir: MakeDirectoryRequest }
  | { kind: "pack"; pack: PackRequest }
  | { kind: "squash"; squash: SquashRequest }
  | { kind: "digest"; digest: DigestRequest }
  | { kind: "own"; path: string; uid: number; gid: number; mode: number }
  | { kind: "clean"; upper: string; lowers: readonly string[]; places: readonly string[] }
  | { kind: "remove"; trees: readonly string[] };

/** To the helper. */
export interface BuildJobMessage {
  id: number;
  job: BuildJob;
}

/** From the helper. */
export type BuildJobAnswer =
  | { id: number; result: unknown }
  | { id: number; error: WireError };
