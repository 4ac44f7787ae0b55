/**
 * The image of most tests: a static busybox, its applets as links, and the bare minimum of /etc.
 *
 * @module
 */
import type { TarEntry } from "../../core/layer/tar_entry.ts";
import { encodeTarEntry, TAR_END, tarPadding } from "../../core/layer/tar_writer.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n";
const GROUP = "root:x:0:\ndaemon:x:1:\nstaff:x:50:\n";

/** Where Debian's busybox-static is, if it is. */
export function findBusybox(): string | undefined {
  for (const path of ["/bin/busybox", "/usr/bin/busybox"]) {
    try {
      const bytes = Deno.readFileSync(path);
      // A dynamic one names its interpreter; it would not start in an image without libc.
      if (!new TextDecoder("latin1").decode(bytes.subarray(0, 4096)).includes("/ld-")) return path;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

/** A root file system as a tar archive, the same bytes for the same busybox. */
export async function busyboxTar(path = findBusybox()): Promise<Uint8Array<ArrayBuffer>> {
  if (path === undefined) throw new Error("busybox-static is not installed");
  const program = await Deno.readFile(path);
  const { stdout } = await new Deno.Command(path, { args: ["--list"] }).output();
  const applets = new TextDecoder().decode(stdout).trim().split("\n");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const folder of ["bin", "dev", "etc", "proc", "root", "sys", "var"]) {
    parts.push(encodeTarEntry(entry("directory", folder, { mode: 0o755 })));
  }
  parts.push(encodeTarEntry(entry("directory", "tmp", { mode: 0o1777 })));
  addFile(parts, "bin/busybox", program, 0o755);
  for (const applet of applets) {
    if (applet === "busybox") continue;
    parts.push(encodeTarEntry(entry("hardlink", `bin/${applet}`, { linkPath: "bin/busybox" })));
  }
  const text = (value: string) => new TextEncoder().encode(value);
  addFile(parts, "etc/passwd", text(PASSWD), 0o644);
  addFile(parts, "etc/group", text(GROUP), 0o644);
  addFile(parts, "etc/hostname.orig", text("image\n"), 0o644);
  parts.push(TAR_END);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function addFile(
  parts: Uint8Array<ArrayBuffer>[],
  path: string,
  content: Uint8Array<ArrayBuffer>,
  mode: number,
): void {
  parts.push(encodeTarEntry(entry("file", path, { mode, sizeBytes: content.length })));
  parts.push(content, tarPadding(content.length));
}

function entry(
  kind: TarEntry["kind"],
  path: string,
  values: Partial<TarEntry>,
): TarEntry {
  return {
    kind,
    path,
    linkPath: "",
    mode: 0o755,
    uid: 0,
    gid: 0,
    userName: "",
    groupName: "",
    sizeBytes: 0,
    mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
    major: 0,
    minor: 0,
    ...values,
  };
}
