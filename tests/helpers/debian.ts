/**
 * The image `debian:12`, made of packages: where no registry can be reached, mmdebstrap makes what one would pull.
 *
 * @module
 */
import type { Sandbox } from "./sandbox.ts";

/** Why there cannot be one, if so. */
export const debianObstacle: string | undefined = obstacle();

function obstacle(): string | undefined {
  if (Deno.env.get("ROOTFS")) return undefined;
  try {
    new Deno.Command("mmdebstrap", { args: ["--version"] }).outputSync();
    return undefined;
  } catch {
    return "mmdebstrap is not installed";
  }
}

/**
 * Makes `debian:12` in the sandbox's store, from the tar that `ROOTFS` names, or from this machine's package sources.
 *
 * Beside Debian it has what this machine needs to reach package registries: its certificates, npm's registry.
 */
export async function makeDebian(box: Sandbox): Promise<void> {
  const tar = Deno.env.get("ROOTFS") ?? await bootstrap(box.directory);
  await box.ok("import", "-c", 'CMD ["bash"]', tar, "debian-plain");
  const context = `${box.directory}/debian`;
  await Deno.mkdir(context);
  const lines = ["FROM debian-plain"];
  const bundle = Deno.env.get("NODE_EXTRA_CA_CERTS") ?? Deno.env.get("SSL_CERT_FILE");
  if (bundle) {
    await Deno.copyFile(bundle, `${context}/certificates.pem`);
    lines.push(
      "COPY certificates.pem /usr/local/share/",
      "ENV NODE_EXTRA_CA_CERTS=/usr/local/share/certificates.pem",
    );
  }
  const registry = Deno.env.get("NPM_CONFIG_REGISTRY");
  if (registry) lines.push(`ENV NPM_CONFIG_REGISTRY=${registry}`);
  await Deno.writeTextFile(`${context}/Dockerfile`, lines.join("\n") + "\n");
  await box.ok("build", "-q", "-t", "debian:12", context);
}

async function bootstrap(directory: string): Promise<string> {
  const tar = `${directory}/debian.tar`;
  const sources = await debianSources();
  const { success, stderr } = await new Deno.Command("mmdebstrap", {
    args: [
      "--variant=minbase",
      "--quiet",
      "--dpkgopt=path-exclude=/usr/share/doc/*",
      "--dpkgopt=path-exclude=/usr/share/man/*",
      "--dpkgopt=path-exclude=/usr/share/locale/*",
      "bookworm",
      tar,
      ...sources,
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`mmdebstrap: ${new TextDecoder().decode(stderr)}`);
  return tar;
}

/** Files that name this machine's mirrors, if it runs that release. */
async function debianSources(): Promise<string[]> {
  const release = await Deno.readTextFile("/etc/os-release").catch(() => "");
  if (!release.includes("VERSION_CODENAME=bookworm")) return [];
  for (const path of ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (/bookworm/.test(text)) return [path];
  }
  return [];
}
