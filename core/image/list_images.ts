/**
 * What `docker images` lists, with its filters.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { StorePaths } from "../host/paths.ts";
import { parseTimestamp } from "../lib/duration.ts";
import { matchesLabel } from "../lib/labels.ts";
import { familiarName, familiarReference, parseReference } from "../lib/reference.ts";
import type { ImageSummary } from "../spec/docker_api.ts";
import type { ImageConfig } from "../spec/image.ts";
import type { ImageUser } from "./image_users.ts";
import { imageSize, shownDigests } from "./inspect_image.ts";
import { resolveImageId } from "./resolve.ts";
import { listStoredImages, readConfig, type StoredImage } from "./stored_image.ts";

const FILTERS = ["before", "dangling", "label", "reference", "since", "until"];

interface Row {
  image: StoredImage;
  config: ImageConfig;
  createdMs: number;
  references: string[];
}

/**
 * Lists images, the newest first; docker's filters, each value of a kind as an alternative but for labels.
 *
 * @param filters `{label: ["a", "b=c"], reference: ["busybox*"]}`.
 * @throws {DhowError} `invalid_argument`: `invalid filter 'x'`; `not_found` for `before` and `since`.
 */
export function listImages(
  paths: StorePaths,
  filters: Record<string, string[]>,
  users: ImageUser[],
): ImageSummary[] {
  const unknown = Object.keys(filters).find((name) => !FILTERS.includes(name));
  if (unknown !== undefined) {
    throw new DhowError("invalid_argument", `invalid filter '${unknown}'`);
  }
  const all = listStoredImages(paths).flatMap((image) => toRow(paths, image) ?? []);
  const keep = filterOf(paths, filters, all);
  return all.filter(keep).map((row) => withReferences(row, filters.reference))
    .filter((row) => row !== undefined)
    .sort((a, b) => b.createdMs - a.createdMs)
    .map((row) => summarize(paths, row, users));
}

function toRow(paths: StorePaths, image: StoredImage): Row | undefined {
  try {
    const config = readConfig(paths, image.id);
    const createdMs = Date.parse(config.created ?? "") || 0;
    return { image, config, createdMs, references: image.references };
  } catch {
    // Another process has just removed it.
    return undefined;
  }
}

function filterOf(
  paths: StorePaths,
  filters: Record<string, string[]>,
  all: Row[],
): (row: Row) => boolean {
  const createdOf = (name: string): number => {
    const id = resolveImageId(paths, name);
    return all.find(({ image }) => image.id === id)?.createdMs ?? 0;
  };
  const before = (filters.before ?? []).map(createdOf);
  const since = (filters.since ?? []).map(createdOf);
  const until = (filters.until ?? []).map(parseTime);
  const dangling = filters.dangling?.map(parseBoolean);
  const labels = filters.label ?? [];
  return ({ image, config, createdMs }) =>
    before.every((time) => createdMs < time) &&
    since.every((time) => createdMs > time) &&
    until.every((time) => createdMs < time) &&
    (dangling === undefined ||
      dangling.includes(image.references.length + image.repoDigests.length === 0)) &&
    labels.every((label) => matchesLabel(label, config.config?.Labels ?? {}));
}

function parseBoolean(text: string): boolean {
  if (["true", "1", "t", "T", "TRUE", "True"].includes(text)) return true;
  if (["false", "0", "f", "F", "FALSE", "False"].includes(text)) return false;
  throw new DhowError("invalid_argument", `invalid filter 'dangling=[${text}]'`);
}

function parseTime(text: string): number {
  try {
    return Number(parseTimestamp(text, Date.now()) / 1_000_000n);
  } catch (cause) {
    throw new DhowError("invalid_argument", (cause as Error).message, { cause });
  }
}

/** Leaves the names that a `reference` filter matches; undefined if none is left. */
function withReferences(row: Row, patterns: string[] | undefined): Row | undefined {
  if (patterns === undefined) return row;
  const references = row.references.filter((text) => {
    const reference = parseReference(text);
    const shown = [familiarReference(reference), familiarName(reference)];
    return patterns.some((pattern) => shown.some((name) => matches(pattern, name)));
  });
  return references.length === 0 ? undefined : { ...row, references };
}

/** Go's path.Match: `*` and `?` stop at a slash, `[a-z]` is a class. */
function matches(pattern: string, name: string): boolean {
  const source = pattern.replaceAll(
    /\[\^?[^\]]*\]|\\.|[*?]|[.+^${}()|\\[\]]/g,
    (part) => {
      if (part === "*") return "[^/]*";
      if (part === "?") return "[^/]";
      if (part.length > 1) return part;
      return `\\${part}`;
    },
  );
  try {
    return new RegExp(`^${source}$`).test(name);
  } catch (cause) {
    throw new DhowError("invalid_argument", "syntax error in pattern", { cause });
  }
}

function summarize(paths: StorePaths, row: Row, users: ImageUser[]): ImageSummary {
  const { image, config, createdMs } = row;
  return {
    Id: image.id,
    ParentId: "",
    RepoTags: row.references.map((text) => familiarReference(parseReference(text))).sort(),
    RepoDigests: shownDigests(row.image),
    Created: Math.floor(createdMs / 1000),
    Size: imageSize(paths, image),
    SharedSize: -1,
    Labels: config.config?.Labels ?? null,
    Containers: users.filter(({ imageId }) => imageId === image.id).length,
  };
}
