/**
 * Layers, unpacked for real: whatever they hold, nothing outside of their directory changes.
 *
 * @module
 */
import { removeTreeAt } from "../../../ffi/file.ts";
import { unpackBlob } from "../../../core/layer/unpack_blob.ts";
import { archive, member } from "../../helpers/tar.ts";
import { attemptAsync, type FuzzTarget, type Input, insist } from "../target.ts";
import { TAR_WORDS, tarSeeds, withChecksums } from "./tar.ts";

/** No file that a member claims may fill the disk. */
const BYTES_MAX = 1 << 20;

/** The unpacker, on a directory of its own. */
export const unpack: FuzzTarget = {
  name: "unpack",
  maxBytes: 1 << 14,
  seeds: () => [...tarSeeds(), ...hostile()],
  dictionary: [...TAR_WORDS, "../outside", "/proc/self", "outside/secret", "x/y"],
  async run(input) {
    const path = scratch ??= makeScratch();
    const bytes = withChecksums(input);
    let at = 0;
    const blob = (buffer: Input) => {
      const piece = bytes.subarray(at, at + buffer.length);
      buffer.set(piece);
      at += piece.length;
      return piece.length;
    };
    const into = `${path}/rootfs`;
    const done = await attemptAsync(() => unpackBlob({ blob, into, maxBytes: BYTES_MAX }));
    const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
    insist(
      names.join() === (done === undefined ? "outside" : "outside,rootfs"),
      `it is there or not: ${names}`,
    );
    if (done !== undefined) removeTreeAt(-100, into);
    const { mode, size } = Deno.statSync(`${path}/outside/secret`);
    insist(size === 9 && (mode! & 0o7777) === 0o640, "the outside is untouched");
    insist([...Deno.readDirSync(`${path}/outside`)].length === 1, "nothing came to the outside");
  },
};

let scratch: string | undefined;

function makeScratch(): string {
  const made = Deno.makeTempDirSync({ prefix: "dhow-fuzz-" });
  globalThis.addEventListener("unload", () => removeTreeAt(-100, made));
  Deno.mkdirSync(`${made}/outside`);
  Deno.writeTextFileSync(`${made}/outside/secret`, "untouched");
  Deno.chmodSync(`${made}/outside/secret`, 0o640);
  return made;
}

/** Ways out that others once found. */
function hostile(): Input[] {
  return [
    archive(member("symlink", "x", { linkPath: "../outside" }), member("file", "x/y")),
    archive(
      member("symlink", "x", { linkPath: "../outside/secret" }),
      member("hardlink", "y", { linkPath: "x" }),
      member("file", "y", { content: "changed", mode: 0o777 }),
    ),
    archive(member("file", "../outside/x"), member("file", "a/../../outside/y")),
    archive(
      member("directory", "d"),
      member("symlink", "d/e", { linkPath: "../../outside" }),
      member("file", "d/e/.wh.secret"),
      member("file", "d/e/.wh..wh..opq"),
    ),
  ];
}
