/**
 * An image as `images` shows it: one row a name.
 *
 * @module
 */
import { formatHumanDuration } from "../../core/lib/duration.ts";
import { formatSize } from "../../core/lib/units.ts";
import type { ImageSummary } from "../../core/spec/docker_api.ts";
import { type Row, shortId } from "./rows.ts";
import { formatGoTime } from "./time.ts";

/** Titles of the columns. */
export const imageHeaders = {
  ID: "IMAGE ID",
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  Containers: "CONTAINERS",
  VirtualSize: "SIZE",
  SharedSize: "SHARED SIZE",
  UniqueSize: "UNIQUE SIZE",
} as const;

/** Fields of docker's default table. */
export const imageColumns: readonly string[] = ["Repository", "Tag", "ID", "CreatedSince", "Size"];

const NONE = "<none>";

/** Everything `--format` can show of an image, once for each of its names. */
export function toImageRows(
  image: ImageSummary,
  options: { truncate: boolean; digests?: boolean },
): Row[] {
  return namesOf(image, options.digests ?? false).map(({ repository, tag, digest }) => ({
    Containers: String(image.Containers),
    CreatedAt: formatGoTime(image.Created),
    CreatedSince: formatHumanDuration(Date.now() / 1000 - image.Created) + " ago",
    Digest: digest,
    ID: options.truncate ? shortId(image.Id) : image.Id,
    Repository: repository,
    SharedSize: "N/A",
    Size: formatSize(image.Size),
    Tag: tag,
    UniqueSize: "N/A",
    VirtualSize: formatSize(image.Size, 4),
  }));
}

/** Docker's rows: one for each tag, with digests one for each that the tag's repository has; then digests without tags. */
function namesOf(
  { RepoTags, RepoDigests }: ImageSummary,
  digests: boolean,
): { repository: string; tag: string; digest: string }[] {
  const byDigest = RepoDigests.map((name) => name.split("@") as [string, string]);
  const tagged = RepoTags.map(splitName);
  const rows = tagged.flatMap(([repository, tag]) => {
    const found = digests ? byDigest.filter(([other]) => other === repository) : [];
    if (found.length === 0) return [{ repository, tag, digest: NONE }];
    return found.map(([, digest]) => ({ repository, tag, digest }));
  });
  const bare = byDigest.filter(([name]) => !tagged.some(([repository]) => repository === name))
    .map(([repository, digest]) => ({ repository, tag: NONE, digest: digests ? digest : NONE }));
  const all = [...rows, ...bare];
  return all.length > 0 ? all : [{ repository: NONE, tag: NONE, digest: NONE }];
}

/** `localhost:5000/foo:bar` at its last colon. */
function splitName(name: string): [repository: string, tag: string] {
  const colon = name.lastIndexOf(":");
  return [name.slice(0, colon), name.slice(colon + 1)];
}
