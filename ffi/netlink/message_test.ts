import { assertEquals } from "@std/assert";
import {
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  textOf,
  u16,
  u32Of,
  u8,
} from "./message.ts";
import { addAddress, addVeth, macBytes } from "./route.ts";

Deno.test("attributes are aligned, nested, and left out where they have no value", () => {
  const bytes = encodeAttributes([[1, "ab"], [2, undefined], [3, [[4, 5], [6, u8(7)]]], [
    8,
    u16(9),
  ]]);
  assertEquals(
    bytes.toHex(),
    "07000100" + "61620000" + // "ab" and its NUL, one byte of padding
      "14000380" + "08000400" + "05000000" + "05000600" + "07000000" +
      "06000800" + "09000000",
  );
  const decoded = decodeAttributes(bytes);
  assertEquals([...decoded.keys()], [1, 3, 8]);
  assertEquals(textOf(decoded.get(1)), "ab");
  assertEquals(u32Of(decodeAttributes(decoded.get(3)!).get(4)), 5);
});

Deno.test("a message has its length, type, flags and sequence number in front", () => {
  const message = encodeMessage(
    { type: 16, fixed: Uint8Array.of(1, 2), attributes: [[1, 2]], label: "" },
    5,
    77,
  );
  const [reply] = [...decodeMessages(message)];
  assertEquals([reply!.type, reply!.flags, reply!.sequence], [16, 5, 77]);
  assertEquals(reply!.body.toHex(), "01020000" + "08000100" + "02000000");
});

Deno.test("a veth's peer carries its own header and attributes", () => {
  const request = addVeth({ name: "a", master: 3 }, {
    name: "eth0",
    netns: 9,
    mac: "02:00:00:00:00:01",
  }, 1400);
  const info = decodeAttributes(encodeAttributes(request.attributes!)).get(18)!;
  const peer = decodeAttributes(decodeAttributes(info).get(2)!).get(1)!;
  const attributes = decodeAttributes(peer.subarray(16));
  assertEquals(textOf(attributes.get(3)), "eth0");
  assertEquals([u32Of(attributes.get(4)), u32Of(attributes.get(28))], [1400, 9]);
  assertEquals(attributes.get(1)!.toHex(), "020000000001");
});

Deno.test("an IPv4 address has a broadcast address, an IPv6 one is used at once", () => {
  const v4 = new Map(addAddress(2, Uint8Array.of(10, 1, 2, 3), 20).attributes);
  assertEquals((v4.get(4) as Uint8Array).join("."), "10.1.15.255");
  const v6 = new Map(addAddress(2, new Uint8Array(16), 64).attributes);
  assertEquals([v6.get(4), v6.get(8)], [undefined, 2]);
  assertEquals(new Map(addAddress(2, new Uint8Array(4), 31).attributes).get(4), undefined);
});

Deno.test("what is no MAC address is refused", () => {
  assertEquals(macBytes("02:42:ac:11:00:02").toHex(), "0242ac110002");
  for (const text of ["", "02:42", "02:42:ac:11:00:0g", "02:42:ac:11:00:02:03", "0242ac110002"]) {
    let refused = false;
    try {
      macBytes(text);
    } catch (error) {
      refused = error instanceof TypeError;
    }
    assertEquals(refused, true, text);
  }
});

Deno.test("no bytes make the decoders crash or run on", () => {
  const random = new Uint8Array(256);
  for (let round = 0; round < 5000; round++) {
    crypto.getRandomValues(random);
    const bytes = random.subarray(0, random[0]! % 200);
    if (bytes.length > 4 && round % 2 === 0) bytes.set([bytes.length, 0, 0, 0]);
    for (const { body } of decodeMessages(bytes)) decodeAttributes(body);
    decodeAttributes(bytes);
  }
});
