/**
 * DNS messages of containers and of name servers.
 *
 * @module
 */
import {
  addressOfPointer,
  answersQuestion,
  encodeName,
  encodeRefusal,
  encodeResponse,
  parseQuery,
  TYPE,
} from "../../../core/network/dns/message.ts";
import { parseResolvers } from "../../../core/network/dns/resolvers.ts";
import { parseAddress } from "../../../core/network/subnet.ts";
import { type FuzzTarget, type Input, insist, textOf } from "../target.ts";

/** Questions, the answers to them, names of addresses. */
export const dns: FuzzTarget = {
  name: "dns",
  seeds: () => [
    query("web"),
    query("a.b.example.com", TYPE.aaaa, 1),
    query("4.3.2.1.in-addr.arpa", TYPE.ptr),
    query("1.".repeat(32) + "ip6.arpa", TYPE.ptr),
    new TextEncoder().encode("nameserver 10.0.0.1\nnameserver fe80::1%eth0\nsearch a\n"),
  ],
  dictionary: ["\0", "\x01", "\x03www", "\xc0\x0c", "\0\x01", "\0\x29", "\x3f", "\x40", "\0\0\x01"],
  run(input) {
    parseResolvers(textOf(input));
    const parsed = parseQuery(input);
    if (parsed.kind === "none") return;
    if (parsed.kind === "bad") {
      return insist(encodeRefusal(parsed.id, parsed.rcode).length === 12, "a refusal is a header");
    }
    const { query } = parsed;
    insist(query.end <= input.length && /^[a-z0-9_.\\-]*$/.test(query.name), "names are plain");
    const address = addressOfPointer(query.name);
    if (address !== undefined) parseAddress(address);
    const one = { type: query.type, data: Uint8Array.of(10, 0, 0, 1) };
    for (const isStream of [true, false]) {
      for (const answers of [[], [one], new Array(300).fill(one)]) {
        const response = encodeResponse(input, query, answers, { isStream });
        const limit = isStream ? 0xffff : Math.max(query.end + 11, query.ednsSize ?? 512);
        insist(response.length <= limit, "it fits");
        insist(answersQuestion(response, input, query), "a response answers its question");
      }
    }
  },
};

function query(name: string, type: number = TYPE.a, additional = 0): Input {
  const header = Uint8Array.of(0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, additional);
  const edns = additional === 0 ? [] : [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...encodeName(name), 0, type, 0, 1, ...edns]);
}
