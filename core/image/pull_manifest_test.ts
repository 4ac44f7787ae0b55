import { assertEquals, assertRejects } from "@std/assert";
import { DhowError } from "../errors.ts";
import type { Repository } from "../registry/repository.ts";
import { chooseManifest } from "./pull_manifest.ts";

const digest = `sha256:${"ab".repeat(32)}` as const;
const types = "application/vnd.oci.image.";

/** Why the document cannot be pulled. */
async function refusal(document: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const error = await assertRejects(
    () =>
      chooseManifest(
        {} as Repository,
        { digest, mediaType: `${types}manifest.v1+json`, bytes },
        { platform: { os: "linux", architecture: "amd64" }, name: "a" },
      ),
    DhowError,
  );
  return error.message;
}

Deno.test("chooseManifest() passes over platforms that are none", async () => {
  const mediaType = `${types}index.v1+json`;
  const line = { mediaType: `${types}manifest.v1+json`, digest, size: 1 };
  const odd = [null, 1, { os: "linux", architecture: "amd64", variant: 5 }];
  const lists = [[null], ...odd.map((platform) => [{ ...line, platform }])];
  for (const manifests of lists) {
    const message = await refusal({ mediaType, manifests });
    assertEquals(message.startsWith("no matching manifest for linux/amd64"), true, message);
  }
});

Deno.test("chooseManifest() quotes what a manifest says of its layers", async () => {
  const config = { mediaType: `${types}config.v1+json`, digest, size: 1 };
  const layers = [{ mediaType: "nondistributable\x1b[2J", digest, size: 1 }];
  const message = await refusal({ config, layers });
  assertEquals(message.includes('is foreign ("nondistributable\\u001b[2J")'), true, message);
});
