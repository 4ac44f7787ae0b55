/**
 * Archives: layers, contexts, what is loaded.
 *
 * @module
 */
import type { TarEntry, TarHandler } from "../../../core/layer/tar_entry.ts";
import { TarReader } from "../../../core/layer/tar_reader.ts";
import { encodeTarEntry } from "../../../core/layer/tar_writer.ts";
import { archive, join, member } from "../../helpers/tar.ts";
import { attemptStrictly, type FuzzTarget, type Input, insist } from "../target.ts";

/** Words of archives, here and where they are unpacked. */
export const TAR_WORDS: readonly string[] = [
  ...[
    "ustar\x0000",
    "ustar  \0",
    "\0",
    "\0".repeat(512),
    "0",
    "1",
    "2",
    "5",
    "S",
    "x",
    "g",
    "L",
    "K",
  ],
  ...["30 mtime=1350244992.023960108\n", "16 size=1000000\n", "13 path=../a\n", "15 linkpath=/e\n"],
  ...["22 GNU.sparse.major=1\n", "22 GNU.sparse.minor=0\n", "25 GNU.sparse.realsize=9\n"],
  ...["22 GNU.sparse.size=99\n", "24 GNU.sparse.map=0,1,2\n", "23 SCHILY.xattr.user.a=\n"],
  ...["28 LIBARCHIVE.xattr.a=YQ==\n", "1\n0\n5\n", "00000000010", "\x80\0\0\0\0\0\0\0\0\0\0\x01"],
  ...["..", "/", "./", ".wh.", ".wh..wh..opq", "a", "a/b", "é", "\xff", "99999999999999999999"],
];

/** Well-formed archives of each kind of member. */
export function tarSeeds(): Input[] {
  const long = "d/".repeat(80) + "file";
  const sparse = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n27 GNU.sparse.realsize=2000\n";
  return [
    archive(member("file", "a", { content: "hello" }), member("directory", "d")),
    archive(member("file", long, { content: "x".repeat(600), uid: 3_000_000 })),
    archive(member("symlink", "l", { linkPath: "a" }), member("hardlink", "h", { linkPath: "a" })),
    archive(member("directory", "d"), member("file", "d/.wh.x"), member("file", "d/.wh..wh..opq")),
    archive(
      member("file", "x", {
        xattrs: new Map([["user.a", Uint8Array.of(1, 2)]]),
        mtime: { seconds: -1, nanoseconds: 5 },
      }),
    ),
    archive(member("char", "c", { major: 1, minor: 3 }), member("fifo", "f")),
    archive(
      retyped(member("file", "p", { content: sparse }), "x"),
      member("file", "s", { content: "1\n0\n5\n".padEnd(512, "\0") + "12345" }),
    ),
    archive(retyped(member("file", "@", { content: "long/name\0" }), "L"), member("file", "n")),
  ];
}

/** Another kind of member than the writer makes. */
function retyped(bytes: Input, type: string): Input {
  bytes[156] = type.charCodeAt(0);
  return withChecksums(bytes);
}

/** With right sums where a header seems to be: else nothing would get past them. */
export function withChecksums(input: Input): Input {
  const bytes = input.slice();
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const block = bytes.subarray(at, at + 512);
    if (String.fromCharCode(...block.subarray(257, 262)) !== "ustar") continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0`), 148);
  }
  return bytes;
}

/** The reader, fed whole and in pieces, and the writer. */
export const tar: FuzzTarget = {
  name: "tar",
  seeds: tarSeeds,
  maxBytes: 1 << 15,
  dictionary: TAR_WORDS,
  run(input) {
    for (const bytes of [input, withChecksums(input)]) {
      const whole = readTar(bytes, bytes.length || 1);
      insist(whole.text === readTar(bytes, 100).text, "how it comes in pieces does not count");
      for (const entry of whole.entries) checkRoundTrip(entry);
    }
  },
};

function checkRoundTrip(entry: TarEntry): void {
  const { path, kind, sparse, xattrs } = entry;
  // The writer is given what an inode can be.
  if (sparse !== undefined || path.endsWith("/") || entry.uid < 0 || entry.gid < 0) return;
  if (path === "" || Math.max(entry.major, entry.minor) > 0o7777777) return;
  if ([...xattrs?.keys() ?? []].some((name) => name === "" || /[=\0]/.test(name))) return;
  if (!Number.isSafeInteger(entry.uid) || !Number.isSafeInteger(entry.gid)) return;
  const size = kind === "file" ? Math.min(entry.sizeBytes, 700) : 0;
  const header = encodeTarEntry({ ...entry, sizeBytes: size });
  const { entries } = readTar(join([header, new Uint8Array(Math.ceil(size / 512) * 512)]), 512);
  const again = entries[0];
  insist(
    entries.length === 1 && again!.path === path && again!.kind === kind &&
      again!.linkPath === entry.linkPath && again!.uid === entry.uid && again!.gid === entry.gid &&
      again!.mode === (entry.mode & 0o7777) && again!.sizeBytes === size,
    `what is written is read: ${JSON.stringify([entry, again])}`,
  );
}

function readTar(bytes: Input, pieceBytes: number): { text: string; entries: TarEntry[] } {
  const entries: TarEntry[] = [];
  const said: string[] = [];
  let end = 0;
  const handler: TarHandler = {
    entry(entry) {
      entries.push(entry);
      said.push(JSON.stringify(entry, (_, value) => value instanceof Map ? [...value] : value));
      insist(!entry.path.includes("\0") && entry.sizeBytes >= 0, "members have names and sizes");
      insist((entry.sparse?.length ?? 0) <= 1 << 20, "maps are bounded");
      end = 0;
    },
    data(piece, offset) {
      insist(offset >= end, "data comes in order");
      end = offset + piece.length;
      insist(end <= entries.at(-1)!.sizeBytes, "data is inside of the file");
    },
    endEntry: () => void said.push(`end ${end}`),
  };
  const reader = new TarReader(handler);
  const isWhole = attemptStrictly(() => {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      reader.push(bytes.subarray(at, at + pieceBytes));
    }
    reader.end();
    return true;
  });
  return { text: `${said.join("\n")} ${isWhole}`, entries };
}
