/**
 * JSON from registries and other machines: manifests, indexes, configs, build caches, messages; and from users' files:
 * seccomp profiles.
 *
 * @module
 */
import { readCacheDocument } from "../../../core/build/cache_document.ts";
import { applyChanges } from "../../../core/image/changes.ts";
import { assertImageConfig } from "../../../core/image/config_shape.ts";
import { chooseManifest } from "../../../core/image/pull_manifest.ts";
import { checkHello, checkOffer, checkWant } from "../../../core/image/ssh_messages.ts";
import { isDigest } from "../../../core/lib/digest.ts";
import type { Repository } from "../../../core/registry/repository.ts";
import { compileSeccomp } from "../../../core/runtime/seccomp_compile.ts";
import { parseSeccompProfile } from "../../../core/runtime/seccomp_resolve.ts";
import { CHOICES, choosingSeeds, spoilJson } from "../spoil_json.ts";
import { attempt, attemptAsync, attemptStrictly, type FuzzTarget, insist } from "../target.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const OCI = "application/vnd.oci.image.";
const layer = { mediaType: `${OCI}layer.v1.tar+gzip`, digest: DIGEST, size: 10 };
const config = { mediaType: `${OCI}config.v1+json`, digest: DIGEST, size: 20 };
const manifest = { schemaVersion: 2, mediaType: `${OCI}manifest.v1+json`, config, layers: [layer] };
const platform = { os: "linux", architecture: "amd64", variant: "v2" };
const index = {
  schemaVersion: 2,
  mediaType: `${OCI}index.v1+json`,
  manifests: [
    { mediaType: manifest.mediaType, digest: DIGEST, size: 5, platform },
    { mediaType: manifest.mediaType, digest: DIGEST, size: 5, platform: { os: "linux" } },
  ],
};
const cache = {
  version: 1,
  steps: [{
    key: "ab".repeat(32),
    createdAt: "2024-01-01T00:00:00Z",
    name: "RUN x",
    type: "regular",
    layer: { diffId: DIGEST, descriptor: layer },
  }],
};
const profile = {
  defaultAction: "SCMP_ACT_ERRNO",
  archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
  syscalls: [
    {
      names: ["read", "write", "clone"],
      action: "SCMP_ACT_ALLOW",
      args: [{ index: 0, value: 1, valueTwo: 2, op: "SCMP_CMP_MASKED_EQ" }],
      includes: { caps: ["CAP_SYS_ADMIN"], minKernel: "4.8" },
      excludes: { arches: ["s390x"] },
    },
    { name: "open", action: "SCMP_ACT_ERRNO", errnoRet: 38 },
  ],
};
const imageConfig = {
  created: "2024-01-01T00:00:00Z",
  os: "linux",
  architecture: "amd64",
  config: {
    Env: ["A=b"],
    Cmd: ["sh"],
    Labels: { a: "b" },
    ExposedPorts: { "80/tcp": {} },
    Volumes: { "/v": {} },
    Healthcheck: { Test: ["CMD", "x"], Interval: 5 },
  },
  rootfs: { type: "layers", diff_ids: [DIGEST] },
  history: [{ created_by: "RUN x", empty_layer: true }],
};
const offer = { images: [{ manifest: layer, config, layers: [layer], references: ["a.b/c:d"] }] };

/** One document, as each of them. */
export const documents: FuzzTarget = {
  name: "documents",
  seeds: choosingSeeds,
  dictionary: CHOICES,
  async run(input) {
    await checkManifest(spoilJson([manifest, index], input));
    const steps = attemptStrictly(() => readCacheDocument(spoilJson([cache], input)))?.steps ?? [];
    for (const { layer } of steps) {
      const digests = layer === undefined ? [] : [layer.diffId, layer.descriptor.digest];
      insist(digests.every((one) => typeof one === "string" && isDigest(one)), "digests are texts");
    }
    checkConfig(spoilJson([imageConfig], input));
    const message = spoilJson([offer, { dhow: 1, names: ["a"] }, { want: [DIGEST] }], input);
    // The channel passes on objects only.
    if (typeof message === "object" && message !== null) {
      attemptStrictly(() => checkHello(message as never));
      attemptStrictly(() => checkOffer(message as never));
      attemptStrictly(() => checkWant(message as never, new Map([[DIGEST, 1]]) as never));
    }
    const text = JSON.stringify(spoilJson([profile], input));
    attempt(() => {
      const options = { capabilities: ["CAP_SYS_ADMIN"], architecture: "x86_64" } as const;
      const program = compileSeccomp(parseSeccompProfile(text), options);
      insist(program.length > 0 && program.length % 8 === 0, "a filter is instructions");
    }, () => false);
  },
};

/** What passes can be worked with. */
function checkConfig(config: unknown): void {
  attemptStrictly(() => {
    assertImageConfig(config, "Cannot pull");
    for (const entry of config.config?.Env ?? []) entry.split("=");
    for (const step of config.history ?? []) step.created_by?.trim();
    Object.values(config.config?.Labels ?? {}).map((label) => label?.trim());
    applyChanges(config.config ?? {}, ["ENV a=b", "LABEL c=d", "EXPOSE 80", "VOLUME /x"]);
  });
}

async function checkManifest(document: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const fetched = { digest: DIGEST, mediaType: manifest.mediaType, bytes } as const;
  const second = new TextEncoder().encode(JSON.stringify(manifest));
  const repository = {
    manifest: () => Promise.resolve({ ...fetched, bytes: second }),
  } as unknown as Repository;
  for (const mediaType of [manifest.mediaType, index.mediaType]) {
    const chosen = await attemptAsync(() =>
      chooseManifest(repository, { ...fetched, mediaType } as never, { platform, name: "a" })
    );
    if (chosen === undefined) continue;
    const { config, layers } = chosen.manifest;
    for (const { digest, size } of [config, ...layers]) {
      insist(isDigest(digest) && size >= 0, "what is fetched has a digest and a size");
    }
  }
}
