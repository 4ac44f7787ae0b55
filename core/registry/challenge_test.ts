import { assertEquals } from "@std/assert";
import { parseChallenge } from "./challenge.ts";

Deno.test("parseChallenge() reads what registries send", () => {
  assertEquals(
    parseChallenge(
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/x:pull,push"',
    ),
    {
      kind: "bearer",
      realm: "https://auth.docker.io/token",
      service: "registry.docker.io",
      scope: "repository:library/x:pull,push",
    },
  );
  assertEquals(parseChallenge('Basic realm="a \\"b\\", Bearer realm=x"'), { kind: "basic" });
  assertEquals(parseChallenge("bearer Realm = https, service=a.b"), {
    kind: "bearer",
    realm: "https",
    service: "a.b",
    scope: "",
  });
});

Deno.test("parseChallenge() prefers Bearer, wherever it stands", () => {
  const bearer = { kind: "bearer", realm: "r", service: "s", scope: "" } as const;
  assertEquals(parseChallenge('Basic realm="x", Bearer realm="r",service="s"'), bearer);
  assertEquals(parseChallenge('Bearer realm="r",service="s", Basic realm="x"'), bearer);
  assertEquals(parseChallenge('Negotiate, Digest a=b, Basic realm="x"'), { kind: "basic" });
});

Deno.test("parseChallenge() survives what makes no sense, quickly", () => {
  for (const header of [null, "", ",,,", "=", '"', "Bearer", 'Bearer realm="', "Negotiate abc="]) {
    assertEquals(parseChallenge(header), undefined);
  }
  assertEquals(parseChallenge("Basic"), { kind: "basic" });
  const before = performance.now();
  parseChallenge("Bearer " + 'a="\\'.repeat(100_000));
  parseChallenge(" ,".repeat(100_000));
  assertEquals(performance.now() - before < 1000, true);
});
