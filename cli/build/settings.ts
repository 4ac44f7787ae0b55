/**
 * From the flags of `build` to what a build is asked for, all that can be checked without reading a file checked.
 *
 * @module
 */
import type { BuildRequest, BuildSecret, BuildSsh } from "../../core/build/request.ts";
import { formatPlatform, parsePlatform } from "../../core/lib/platform.ts";
import { canonicalReference, parseReference } from "../../core/lib/reference.ts";
import { isIp } from "../flag_checks.ts";
import { invalid, misused, parseCache, parsePair, parseSecret, parseSsh } from "./fields.ts";
import type { BuildFlags } from "./flags.ts";
import { type BuildOutput, parseOutputs } from "./output_flags.ts";

/** What to do with the Dockerfile. */
export type Call = { method: "build" | "check" | "outline" | "targets"; asJson: boolean };

/** A command line understood. */
export interface BuildSettings {
  /** Everything but the Dockerfile and the files. */
  request: Omit<BuildRequest, "dockerfile" | "context" | "namedContexts">;
  /** `--build-context`: name and where it leads, not opened yet. */
  contexts: [name: string, source: string][];
  outputs: BuildOutput[];
  call: Call;
}

const ENTITLEMENTS = ["network.host", "security.insecure"];

/** @throws {DhowError} `invalid_argument` in docker's words. */
export function toSettings(flags: BuildFlags): BuildSettings {
  assertSupported(flags);
  const { outputs, names } = parseOutputs(flags);
  const tags = [...new Set([...flags.tag, ...names].map(canonicalTag))];
  if (outputs.some(({ kind }) => kind === "push") && tags.length === 0) {
    throw invalid("tag is needed when pushing to registry");
  }
  const buildArgs = readBuildArgs(flags.buildArg);
  const epoch = readEpoch(flags.timestamp || buildArgs.get("SOURCE_DATE_EPOCH"));
  const request: BuildSettings["request"] = {
    buildArgs,
    ...flags.target !== "" && { target: flags.target },
    ...flags.platform[0] !== undefined && {
      platform: formatPlatform(parsePlatform(flags.platform[0])),
    },
    labels: Object.fromEntries(flags.label.map(parsePair).map(([key, value = ""]) => [key, value])),
    tags,
    secrets: lastOfEach(flags.secret.map(parseSecret)),
    ssh: lastOfEach(flags.ssh.map(parseSsh)),
    noCache: flags.noCacheFilter.length > 0 && !flags.noCache
      ? flags.noCacheFilter.flatMap((names) => names.split(","))
      : flags.noCache,
    pull: flags.pull,
    cacheFrom: flags.cacheFrom.map((text) => parseCache(text, "from")),
    cacheTo: flags.cacheTo.map((text) => parseCache(text, "to")),
    network: flags.network,
    addHosts: flags.addHost.flatMap((text) => text.split(",")).map(checkHost),
    ...flags.shmSize !== 0 && { shmSizeBytes: flags.shmSize },
    ulimits: flags.ulimit,
    squash: flags.squash,
    ...epoch !== undefined && { sourceDateEpoch: epoch },
    entitlements: readEntitlements(flags),
  };
  return {
    request,
    contexts: flags.buildContext.map(parseContext),
    outputs,
    call: readCall(flags),
  };
}

function assertSupported(flags: BuildFlags): void {
  if (flags.annotation.length > 0) {
    throw invalid("annotations are not supported: use --label, which an image carries everywhere");
  }
  const isOff = (value: string) => value === "" || /^(0|f|false|disabled=true)$/i.test(value);
  const attests = flags.attest.some((text) => !/disabled=true|^$/.test(text));
  if (attests || !isOff(flags.sbom) || !isOff(flags.provenance)) {
    throw invalid("attestations are not supported: leave --attest, --sbom and --provenance away");
  }
  if (flags.platform.flatMap((text) => text.split(",")).length > 1) {
    throw invalid(
      "multi-platform build is not supported: build for one platform at a time, under a tag each",
    );
  }
  if (!["default", "none", "host"].includes(flags.network)) {
    throw invalid(
      `network mode ${JSON.stringify(flags.network)} not supported by build: ` +
        'use "default", "none" or "host"',
    );
  }
  if (!["", "default"].includes(flags.builder)) {
    throw invalid(`no builder ${JSON.stringify(flags.builder)} found`);
  }
}

function canonicalTag(text: string): string {
  try {
    const reference = parseReference(text);
    if (reference.digest !== undefined) throw invalid("invalid reference format");
    return canonicalReference(reference);
  } catch (error) {
    const message = (error as Error).message.replace(
      /^invalid reference format: repository name \(.*\) must be lowercase$/,
      "repository name must be lowercase",
    );
    throw invalid(`invalid tag ${JSON.stringify(text)}: ${message}`);
  }
}

/** A name alone takes the environment's value, if there is one. */
function readBuildArgs(texts: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const text of texts) {
    const [key, value = Deno.env.get(key)] = parsePair(text);
    if (value !== undefined) found.set(key, value);
  }
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH");
  if (epoch && !found.has("SOURCE_DATE_EPOCH")) found.set("SOURCE_DATE_EPOCH", epoch);
  return found;
}

function readEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw invalid(
    `invalid SOURCE_DATE_EPOCH or --timestamp: ${JSON.stringify(text)} is no number of seconds`,
  );
}

function checkHost(text: string): string {
  const at = text.search(/[:=]/);
  const [name, address] = [text.slice(0, at), text.slice(at + 1).replace(/^\[(.*)\]$/, "$1")];
  if (at <= 0) throw invalid(`invalid host ${text}`);
  if (address !== "host-gateway" && !isIp(address)) throw invalid(`invalid host ${text}`);
  return `${name}:${address}`;
}

function readEntitlements(flags: BuildFlags): string[] {
  const unknown = flags.allow.find((name) => !ENTITLEMENTS.includes(name));
  if (unknown !== undefined) throw invalid(`unknown entitlement ${unknown}`);
  // Who asks for the host's network on the command line has allowed it.
  return [...new Set([...flags.allow, ...flags.network === "host" ? ["network.host"] : []])];
}

function parseContext(text: string): [name: string, source: string] {
  const [name, source] = parsePair(text);
  if (!source) throw misused(`invalid context value: ${text}, expected key=value`);
  return [name.toLowerCase(), source];
}

function readCall(flags: BuildFlags): Call {
  const [method, ...options] = (flags.check ? "check" : flags.call).split(",");
  const formats = options.map((option) => option.replace(/^format=/, ""));
  const unknown = formats.find((format) => !["json", "text", "lint"].includes(format));
  if (unknown !== undefined) throw invalid(`invalid option "${unknown}" for --call`);
  switch (method) {
    case "build":
    case "check":
    case "outline":
    case "targets":
      return { method, asJson: formats.includes("json") };
    case "lint":
      return { method: "check", asJson: formats.includes("json") };
    default:
      throw invalid(
        `unknown method ${
          JSON.stringify(method)
        } for --call: use "build", "check", "outline" or "targets"`,
      );
  }
}

function lastOfEach<T extends BuildSecret | BuildSsh>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}
