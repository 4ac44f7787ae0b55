/**
 * What files of a stage or an image hold, found out as root of the containers' user namespace.
 *
 * @module
 */
import { close } from "../../ffi/file.ts";
import { detachMount } from "../../ffi/mount.ts";
import { mountRoot } from "../container/mount_root.ts";
import type { DigestRequest } from "./build_jobs.ts";
import { ContextDigests } from "./file_digests.ts";

/** The digest of what these paths mean: names, kinds, owners, permissions, attributes, content; no times. */
export async function performDigest(request: DigestRequest): Promise<string> {
  const { root, paths, excludes, doubleStar, scratch } = request;
  const { base, names } = root;
  if (names.length === 1) return await digest(`${base}/${names[0]}`);
  await Deno.mkdir(scratch, { mode: 0o700 });
  if (names.length === 0) return await digest(scratch);
  const { overlay } = root;
  close(mountRoot({ kind: overlay, base, layers: [...names], mountpoint: scratch }));
  try {
    return await digest(scratch);
  } finally {
    Deno.chdir("/");
    detachMount(scratch);
  }

  async function digest(directory: string): Promise<string> {
    const digests = new ContextDigests(undefined, { directory, ignore: [] });
    try {
      return await digests.digest(paths, excludes, doubleStar);
    } finally {
      digests.close();
    }
  }
}
