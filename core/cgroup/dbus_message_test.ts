import { assertEquals, assertThrows } from "@std/assert";
import { decodeMessage, encodeMessage, messageLength } from "./dbus_message.ts";

Deno.test("decodeMessage() reads what encodeMessage() writes", () => {
  const fields = { path: "/a", member: "M", replySerial: 7 };
  const body = ["text", [["PIDs", { signature: "au", value: [1, 2] }]], true, 5n];
  const bytes = encodeMessage({ type: 1, serial: 3, fields, body }, "sa(sv)bt");
  assertEquals(messageLength(bytes), bytes.length);
  assertEquals(decodeMessage(bytes), {
    type: 1,
    serial: 3,
    fields: { ...fields, signature: "sa(sv)bt" },
    body,
  });
  assertThrows(() => decodeMessage(bytes.subarray(0, -1)), Error, "cut short");
});

Deno.test("decodeMessage() refuses a field of another type than its own", () => {
  const bytes = encodeMessage({ type: 2, serial: 1, fields: { sender: "a" } });
  bytes[bytes.indexOf("s".charCodeAt(0))] = "o".charCodeAt(0);
  assertThrows(() => decodeMessage(bytes), Error, 'whose field "sender" is malformed');
});
