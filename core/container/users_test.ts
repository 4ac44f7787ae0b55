import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { resolveUser } from "./users.ts";

const files: Record<string, string> = {
  "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n# comment\n\n" +
    "daemon:x:1:1:daemon:/usr/sbin:/bin/false\nweb:x:1000:1000::/home/web:/bin/sh\n",
  "/etc/group": "root:x:0:\ndaemon:x:1:web\nwheel:x:10:root,web\nweb:x:1000:\n",
};
const read = (path: string) => files[path];

Deno.test("resolveUser() takes nobody in particular for root, with its groups", () => {
  const root = { uid: 0, gid: 0, additionalGids: [0, 10], home: "/root" };
  assertEquals(resolveUser("", read), root);
  assertEquals(resolveUser("root", read), root);
  assertEquals(resolveUser("0", read), root);
});

Deno.test("resolveUser() finds users and groups by name and number", () => {
  assertEquals(resolveUser("web", read), {
    uid: 1000,
    gid: 1000,
    additionalGids: [1000, 1, 10],
    home: "/home/web",
  });
  assertEquals(resolveUser("1000", read).additionalGids, [1000, 1, 10]);
  assertEquals(resolveUser("web:wheel", read).additionalGids, [10]);
  assertEquals(resolveUser("77:88", read), { uid: 77, gid: 88, additionalGids: [88], home: "/" });
  assertEquals(resolveUser("77", read), { uid: 77, gid: 0, additionalGids: [0], home: "/" });
  assertEquals(resolveUser(":5", read), { uid: 0, gid: 5, additionalGids: [5], home: "/root" });
});

Deno.test("resolveUser() adds --group-add", () => {
  assertEquals(resolveUser("", read, ["wheel", "7", "7"]).additionalGids, [0, 10, 10, 7]);
});

Deno.test("resolveUser() works in an image without passwd", () => {
  const empty = () => undefined;
  assertEquals(resolveUser("", empty), { uid: 0, gid: 0, additionalGids: [0], home: "/" });
  assertThrows(() => resolveUser("web", empty), DhowError, "unable to find user web");
});

Deno.test("resolveUser() refuses in docker's words", () => {
  const cases: [string, string[], string][] = [
    ["nope", [], "unable to find user nope: no matching entries in passwd file"],
    ["root:nope", [], "unable to find group nope: no matching entries in group file"],
    ["0:0:0", [], "unable to find group 0:0: no matching entries in group file"],
    ["", ["nope"], "unable to find group nope: no matching entries in group file"],
    ["-1", [], "uids and gids must be in range 0-2147483647"],
    ["2147483648", [], "uids and gids must be in range 0-2147483647"],
    ["", ["99999999999"], "uids and gids must be in range 0-2147483647"],
  ];
  for (const [spec, groups, message] of cases) {
    assertThrows(() => resolveUser(spec, read, groups), DhowError, message);
  }
});
