/**
 * Media types of manifests.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/media-types.md
 * @module
 */

/** What we ask for, the best first; registries answer with what they have. */
export const MANIFEST_TYPES: readonly string[] = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  // Asked for to be refused by name: some registries would make one up otherwise.
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/vnd.docker.distribution.manifest.v1+json",
  "application/json",
];

/** Whether a media type is that of an index or manifest list. */
export function isIndexType(mediaType: string): boolean {
  return mediaType === "application/vnd.oci.image.index.v1+json" ||
    mediaType === "application/vnd.docker.distribution.manifest.list.v2+json";
}
