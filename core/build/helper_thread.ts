/**
 * A thread of the build's helper: one job at a time, by plain system calls.
 *
 * @module
 */
import * as F from "../../ffi/file.ts";
import { toWire } from "../lib/wire_error.ts";
import { keepOwnersIfSingle } from "../layer/kept_owners.ts";
import { explainDiskError } from "../store/disk_error.ts";
import type { BuildJob } from "./build_jobs.ts";
import { cleanUpper } from "./clean_upper.ts";
import { performCopy, performMakeDirectory } from "./copy_inside.ts";
import { performDigest } from "./digest_inside.ts";
import type { BuildThreadAnswer } from "./helper_server.ts";
import { performPack, performSquash } from "./pack_inside.ts";

/** The part of a worker's global scope that is used here; the DOM's own types are those of a window. */
const scope = self as unknown as {
  onmessage: ((event: MessageEvent<BuildJob>) => void) | null;
  postMessage(answer: BuildThreadAnswer): void;
};

keepOwnersIfSingle();

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage({ result: await perform(data) ?? null });
  } catch (error) {
    scope.postMessage({ error: toWire(explainDiskError("build", error)) });
  }
};

async function perform(job: BuildJob): Promise<unknown> {
  switch (job.kind) {
    case "copy":
      return performCopy(job.copy);
    case "mkdir":
      return performMakeDirectory(job.mkdir);
    case "pack":
      return await performPack(job.pack);
    case "squash":
      return await performSquash(job.squash);
    case "digest":
      return await performDigest(job.digest);
    case "own":
      F.lchownat(F.AT_FDCWD, job.path, job.uid, job.gid);
      F.fchmodat(F.AT_FDCWD, job.path, job.mode);
      return {};
    case "clean":
      cleanUpper(job.upper, job.lowers, job.places);
      return {};
    case "remove":
      for (const tree of job.trees) F.removeTreeAt(F.AT_FDCWD, tree);
      return {};
  }
}
