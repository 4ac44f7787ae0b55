/**
 * Images that dhow brings along: `hello`, so that `dhow run hello` greets on a machine that has nothing else.
 *
 * @module
 */
import type { StorePaths } from "../host/paths.ts";
import { encodeTarEntry, TAR_END, tarPadding } from "../layer/tar_writer.ts";
import { canonicalReference, parseReference } from "../lib/reference.ts";
import type { ImageConfig } from "../spec/image.ts";
import { BlobWriter } from "../store/blob.ts";
import { leaseStore, readIndex, REF_NAME } from "../store/layout.ts";
import { addImage } from "./add_image.ts";
import { buildHello } from "./hello.ts";
import { MEDIA_TYPES, storeImage } from "./import_image.ts";
import { hostArchitecture } from "./stored_image.ts";

const HELLO = "docker.io/library/hello:latest";
/** Fixed, so that the image is the same one everywhere. */
const CREATED = "2026-01-01T00:00:00Z";
const CREATED_SECONDS = Date.parse(CREATED) / 1000;

/** Whether a name means an image that dhow can make itself. */
export function isBuiltinImage(name: string): boolean {
  return /^(docker\.io\/)?(library\/)?hello(:latest)?$/.test(name) &&
    canonicalReference(parseReference(name)) === HELLO;
}

/**
 * Puts a built-in image into the store if `name` means one and it is not there. For `run` and `create`, when they find
 * no image of that name.
 *
 * @returns Whether `name` is in the store now.
 */
export async function ensureBuiltinImage(paths: StorePaths, name: string): Promise<boolean> {
  if (!isBuiltinImage(name)) return false;
  if (readIndex(paths).some((line) => line.annotations?.[REF_NAME] === HELLO)) return true;
  using _lease = leaseStore(paths);
  const program = buildHello(hostArchitecture() === "amd64" ? "amd64" : "arm64");
  using writer = await BlobWriter.create(paths);
  for (const part of helloLayer(program)) writer.write(part);
  const layer = { mediaType: MEDIA_TYPES.layer, ...writer.commit() };
  const config: ImageConfig = {
    created: CREATED,
    architecture: hostArchitecture(),
    os: "linux",
    config: { Cmd: ["/hello"], WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
    history: [{ created: CREATED, created_by: "dhow", comment: "Built into dhow" }],
    comment: "Built into dhow",
  };
  const image = await storeImage(paths, config, [layer]);
  addImage(paths, { ...image, references: [HELLO], sizeBytes: program.length });
  return true;
}

function helloLayer(program: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const header = encodeTarEntry({
    kind: "file",
    path: "hello",
    linkPath: "",
    mode: 0o755,
    uid: 0,
    gid: 0,
    userName: "",
    groupName: "",
    sizeBytes: program.length,
    mtime: { seconds: CREATED_SECONDS, nanoseconds: 0 },
    major: 0,
    minor: 0,
  });
  return [header, program, tarPadding(program.length), TAR_END];
}
