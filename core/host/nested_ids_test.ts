import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import {
  composeIds,
  nestedIds,
  nestedName,
  parseUsernsMode,
  toContainer,
  toShared,
  type UsernsMode,
} from "./nested_ids.ts";
import type { IdMap } from "./subid.ts";

const who = { uid: 1000, gid: 100, user: "ann" };
const base: IdMap = {
  name: "u1000",
  uids: [{ containerID: 0, hostID: 1000, size: 1 }, {
    containerID: 1,
    hostID: 100000,
    size: 65536,
  }],
  gids: [{ containerID: 0, hostID: 100, size: 1 }, { containerID: 1, hostID: 100000, size: 65536 }],
  single: false,
};

Deno.test("parseUsernsMode() knows docker's and podman's modes, and no other", () => {
  assertEquals(parseUsernsMode("host"), undefined);
  assertEquals(parseUsernsMode("keep-id:uid=5,gid=6"), { kind: "keep-id", uid: 5, gid: 6 });
  assertEquals(parseUsernsMode("auto:size=2000"), { kind: "auto", size: 2000 });
  for (
    const text of ["foo", "host:x", "nomap:1", "keep-id:foo=1", "keep-id:uid=-1", "auto:size=0"]
  ) {
    assertThrows(() => parseUsernsMode(text), DhowError, "--userns: ");
  }
});

Deno.test("nestedIds() keeps the caller's ids and loses no other", () => {
  const { uids, gids } = nestedIds({ kind: "keep-id" }, base, { who });
  assertEquals(toShared(uids, 1000), 0);
  assertEquals(toShared(gids, 100), 0);
  const seen = new Set<number>();
  for (let id = 0; id <= 65536; id++) {
    const shared = toShared(uids, id)!;
    assertEquals(toContainer(uids, shared), id);
    seen.add(shared);
  }
  assertEquals(seen.size, 65537);
  assertEquals(toShared(uids, 65537), undefined);
  const host = composeIds(base.uids, uids);
  assertEquals(toShared(host, 1000), 1000);
  assertEquals(toShared(host, 0), 100000);
  assertEquals(toShared(host, 1001), 101000);
});

Deno.test("nestedIds() has room for a caller whose id is beyond all subordinate ones", () => {
  const { uids } = nestedIds({ kind: "keep-id", uid: 4_000_000 }, base, { who });
  assertEquals(toShared(uids, 4_000_000), 0);
  assertEquals(toShared(uids, 65535), 65536);
  assertEquals(toShared(uids, 65536), undefined);
});

Deno.test("nestedIds() has no place for the caller with nomap, nor shares a range with auto", () => {
  assertEquals(toContainer(nestedIds({ kind: "nomap" }, base, { who }).uids, 0), 65534);
  const first = nestedIds({ kind: "auto" }, base, { who }).uids;
  const second = nestedIds({ kind: "auto", size: 3000 }, base, { who, taken: first }).uids;
  assertEquals([first[0]!.hostID, second[0]!.hostID], [1, 1025]);
  const taken = [...first, ...second];
  assertThrows(
    () => nestedIds({ kind: "auto", size: 65000 }, base, { who, taken }),
    DhowError,
    "no 65000 in a row are free",
  );
});

Deno.test("nestedName() tells mappings apart", () => {
  const modes: UsernsMode[] = [
    { kind: "keep-id" },
    { kind: "keep-id", uid: 1000, gid: 5 },
    { kind: "nomap" },
    { kind: "auto" },
    { kind: "auto", size: 2000 },
  ];
  const names = modes.map((mode) => nestedName(base, mode, nestedIds(mode, base, { who })));
  assertEquals(new Set(names).size, modes.length);
});

Deno.test("nestedIds() says what is missing where only one id is mapped", () => {
  assertThrows(
    () => nestedIds({ kind: "keep-id" }, { ...base, single: true, reason: "none" }, { who }),
    DhowError,
    "it takes subordinate ids: none",
  );
});
