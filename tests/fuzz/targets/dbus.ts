/**
 * What comes over the user's D-Bus.
 *
 * @module
 */
import {
  decodeMessage,
  encodeMessage,
  messageLength,
  splitTypes,
} from "../../../core/cgroup/dbus_message.ts";
import { attempt, type FuzzTarget, type Input, insist, textOf } from "../target.ts";

/** Messages and signatures. */
export const dbus: FuzzTarget = {
  name: "dbus",
  maxBytes: 1 << 15,
  seeds: () => [
    encodeMessage({ type: 2, serial: 7, fields: { replySerial: 3, sender: ":1.2" } }, ""),
    encodeMessage({
      type: 4,
      serial: 9,
      fields: { path: "/org/a", interface: "org.a", member: "JobRemoved" },
      body: [1, "/job/1", "run.scope", "done"],
    }, "uoss"),
    encodeMessage({
      type: 1,
      serial: 1,
      fields: { path: "/", member: "M", destination: "org.b" },
      body: ["a", [["PIDs", { signature: "au", value: [1, 2] }]], true, 5n],
    }, "sa(sv)bt"),
    nested(),
  ],
  dictionary: [
    ...[
      "\0",
      "\x01",
      "\x04\0\0\0",
      "\xff\xff\xff\xff",
      "\x01v\0",
      "\x01s\0",
      "\x01u\0",
      "a",
      "(",
      ")",
    ],
    ...["a{sv}", "aaaa", "((((", "l\x01\0\x01", "l\x02\0\x01", "\x02au\0", "\x08\x01g\0", "y", "t"],
  ],
  run(input) {
    attempt(() => splitTypes(textOf(input).slice(0, 255)));
    if (input.length < 16) return;
    attempt(() => insist(messageLength(input) >= 16, "a message has a header"));
    const message = attempt(() => decodeMessage(input));
    if (message === undefined) return;
    for (const value of Object.values(message.fields)) {
      insist(["string", "number"].includes(typeof value), "fields are texts and numbers");
    }
    const text = JSON.stringify(message.body, (_, value) => typeof value === "bigint" ? 0 : value);
    insist(
      text.length < 100 * input.length + 1000,
      "what comes out is no larger than what went in",
    );
  },
};

/** Variants in variants. */
function nested(): Input {
  const body = Array.from({ length: 60 }, () => [1, 0x76, 0]).flat();
  const head = encodeMessage({ type: 2, serial: 1, fields: { signature: "v" } });
  return Uint8Array.from([...head, ...body]);
}
