import { assertEquals, assertThrows } from "@std/assert";
import { parseMode, resolveOwner } from "./copy_owner.ts";

const FILES: Record<string, string> = {
  "/etc/passwd": "root:x:0:0::/:\nweb:x:33:34::/:\nweb:x:1:1::/:\n",
  "/etc/group": "root:x:0:\nstaff:x:50:web\n",
};
const read = (path: string) => FILES[path];

Deno.test("resolveOwner() looks names up in the root, and takes a user's number for the group's", () => {
  const cases: [text: string, uid: number, gid: number][] = [
    ["7", 7, 7],
    ["7:8", 7, 8],
    ["web", 33, 34],
    ["web:staff", 33, 50],
    ["web:5", 33, 5],
    [":staff", 0, 50],
    ["0:0", 0, 0],
  ];
  for (const [text, uid, gid] of cases) assertEquals(resolveOwner(text, read), { uid, gid }, text);
  for (const text of ["nobody1", "web:nogroup1", "-1", "1.5"]) {
    assertThrows(() => resolveOwner(text, read), Error, "no matching entries");
  }
  assertThrows(() => resolveOwner("web", () => undefined), Error, "no matching entries");
});

Deno.test("parseMode() takes what chmod(1) takes", () => {
  const cases: [text: string, before: number, file: number, directory: number][] = [
    ["644", 0o777, 0o644, 0o644],
    ["04711", 0, 0o4711, 0o4711],
    ["u+x", 0o644, 0o744, 0o744],
    ["a=rX", 0o600, 0o444, 0o555],
    ["a=rX", 0o700, 0o555, 0o555],
    ["u=rwX,go=rX", 0o640, 0o644, 0o755],
    ["go-rwx", 0o4777, 0o4700, 0o4700],
    ["g=u", 0o741, 0o771, 0o771],
    ["u+s,+t", 0o755, 0o5755, 0o5755],
    ["o=", 0o777, 0o770, 0o770],
    ["u+w-x", 0o500, 0o600, 0o600],
  ];
  for (const [text, before, file, directory] of cases) {
    const change = parseMode(text);
    assertEquals(change(before, false).toString(8), file.toString(8), text);
    assertEquals(change(before, true).toString(8), directory.toString(8), text);
  }
  for (const text of ["", "8", "77777", "u", "z+x", "u+q", "rwx"]) {
    assertThrows(() => parseMode(text), Error, "invalid chmod parameter");
  }
});
