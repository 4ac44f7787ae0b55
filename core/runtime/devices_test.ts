import { assert, assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { DEFAULT_DEVICES, listHostDevices, resolveDevice } from "./devices.ts";

Deno.test("resolveDevice() finds the numbers, and says what is missing", () => {
  const mapping = { PathOnHost: "/dev/zero", PathInContainer: "/dev/x", CgroupPermissions: "rwm" };
  const [device] = resolveDevice(mapping);
  assertEquals([device?.major, device?.minor, device?.type], [1, 5, "c"]);
  assertEquals([device?.path, device?.source], ["/dev/x", "/dev/zero"]);
  assertThrows(
    () => resolveDevice({ ...mapping, PathOnHost: "/dev/nope" }),
    DhowError,
    'error gathering device information while adding custom device "/dev/nope": no such file or directory',
  );
  assertThrows(
    () => resolveDevice({ ...mapping, PathOnHost: "/etc/passwd" }),
    DhowError,
    "not a device node",
  );
});

Deno.test("listHostDevices() holds the default devices and no terminals of others", () => {
  const paths = listHostDevices().map((device) => device.path);
  for (const { path } of DEFAULT_DEVICES) assert(paths.includes(path), path);
  assert(!paths.some((path) => path.startsWith("/dev/pts") || path === "/dev/console"));
});
