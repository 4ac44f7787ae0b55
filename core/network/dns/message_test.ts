import { assertEquals } from "@std/assert";
import {
  addressOfPointer,
  answersQuestion,
  encodeName,
  encodeResponse,
  parseQuery,
  type Query,
  TYPE,
} from "./message.ts";

/** A question as resolvers ask it. */
function ask(name: string, type: number, { edns = 0 } = {}): Uint8Array<ArrayBuffer> {
  const question = encodeName(name);
  const bytes = new Uint8Array(12 + question.length + 4 + (edns === 0 ? 0 : 11));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x1234);
  view.setUint16(2, 0x100);
  view.setUint16(4, 1);
  bytes.set(question, 12);
  const end = 12 + question.length;
  view.setUint16(end, type);
  view.setUint16(end + 2, 1);
  if (edns !== 0) {
    view.setUint16(10, 1);
    view.setUint16(end + 5, TYPE.opt);
    view.setUint16(end + 7, edns);
  }
  return bytes;
}

function query(bytes: Uint8Array<ArrayBuffer>): Query {
  const parsed = parseQuery(bytes);
  if (parsed.kind !== "query") throw new Error(parsed.kind);
  return parsed.query;
}

Deno.test("parseQuery() reads a question, whatever its case", () => {
  const { name, type, id, ednsSize } = query(ask("Web.N1", TYPE.a, { edns: 1232 }));
  assertEquals({ name, type, id, ednsSize }, {
    name: "web.n1",
    type: TYPE.a,
    id: 0x1234,
    ednsSize: 1232,
  });
});

Deno.test("parseQuery() refuses a question that points, and answers no answer", () => {
  const pointing = ask("a", TYPE.a);
  pointing.set([0xc0, 0x0c], 12);
  assertEquals(parseQuery(pointing), { kind: "bad", id: 0x1234, rcode: 1 });
  const answer = ask("a", TYPE.a);
  answer[2] = 0x81;
  assertEquals(parseQuery(answer), { kind: "none" });
});

Deno.test("encodeResponse() cuts what does not fit a datagram, and asks to come again", () => {
  const request = ask("many", TYPE.a);
  const answers = Array.from({ length: 200 }, () => ({ type: TYPE.a, data: new Uint8Array(4) }));
  const cut = encodeResponse(request, query(request), answers);
  assertEquals([cut.length, cut[2]! & 2, cut[7]], [request.length, 2, 0]);
  const whole = encodeResponse(request, query(request), answers, { isStream: true });
  assertEquals(whole.length, request.length + 200 * 16);
  const wide = ask("many", TYPE.a, { edns: 4096 });
  assertEquals(encodeResponse(wide, query(wide), answers).length, wide.length + 200 * 16);
});

Deno.test("encodeResponse() of a name without addresses is no error", () => {
  const request = ask("web", TYPE.aaaa);
  const response = encodeResponse(request, query(request), []);
  assertEquals([response[3]! & 15, response[7]], [0, 0]);
});

Deno.test("answersQuestion() takes nothing but the answer to its question", () => {
  const request = ask("example.org", TYPE.a), { end } = query(request);
  const response = encodeResponse(request, query(request), []);
  assertEquals(answersQuestion(response, request, { id: 0x1234, end }), true);
  assertEquals(answersQuestion(response, request, { id: 0x1235, end }), false);
  const other = ask("example.com", TYPE.a);
  assertEquals(answersQuestion(response, other, { id: 0x1234, end }), false);
  assertEquals(answersQuestion(response.subarray(0, 13), request, { id: 0x1234, end }), false);
});

Deno.test("addressOfPointer() reads both kinds", () => {
  assertEquals(addressOfPointer("2.0.18.172.in-addr.arpa"), "172.18.0.2");
  const six = `${"1.0.".repeat(1)}${"0.".repeat(26)}8.e.f.d.`;
  assertEquals(addressOfPointer(`${six}ip6.arpa`)?.startsWith("dfe8:"), true);
  assertEquals(addressOfPointer("web"), undefined);
});

Deno.test("parseQuery() of hostile bytes never throws, and never reads past the end", () => {
  const sound = ask("web.example.org", TYPE.a, { edns: 512 });
  const random = (below: number) => Math.floor(Math.random() * below);
  for (let i = 0; i < 50_000; i++) {
    const bytes = i % 2 === 0
      ? sound.slice(0, 1 + random(sound.length))
      : Uint8Array.from({ length: random(64) }, () => random(256));
    for (let flips = random(4); flips > 0; flips--) bytes[random(bytes.length)] = random(256);
    const parsed = parseQuery(bytes as Uint8Array<ArrayBuffer>);
    if (parsed.kind !== "query") continue;
    assertEquals(parsed.query.end <= bytes.length, true);
    encodeResponse(bytes, parsed.query, [{ type: TYPE.a, data: new Uint8Array(4) }]);
  }
});
