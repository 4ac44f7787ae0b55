/**
 * The flags of `build`: all that docker has, and podman's `--timestamp`.
 *
 * @module
 */
import { parseBytes } from "../../core/lib/units.ts";
import { parseUlimit } from "../flag_checks.ts";
import type { FlagTable, FlagValues } from "../flags.ts";

const list = { type: "list", hint: "stringArray" } as const;
const string = { type: "string" } as const;
const bool = { type: "bool" } as const;

/** What docker takes and, since BuildKit, does nothing with. */
const IGNORED = "Has no effect";
const ignoredBool = { ...bool, hidden: true, help: IGNORED } as const;
const ignoredString = { ...string, hidden: true, help: IGNORED } as const;

/** Flags of `dhow build`. */
export const buildFlags = {
  addHost: {
    ...list,
    hint: "strings",
    help: 'Add a custom host-to-IP mapping (format: "host:ip")',
  },
  allow: {
    ...list,
    help: 'Allow extra privileged entitlement (e.g., "network.host", "security.insecure")',
  },
  annotation: { ...list, hidden: true, help: "Add annotation to the image" },
  attest: { ...list, hidden: true, help: "Attestation parameters" },
  buildArg: { ...list, help: "Set build-time variables" },
  buildContext: { ...list, help: "Additional build contexts (e.g., name=path)" },
  builder: { ...string, hidden: true, help: IGNORED },
  cacheFrom: {
    ...list,
    help:
      'External cache sources (e.g., "registry.example/app:cache", "type=local,src=path/to/dir")',
  },
  cacheTo: {
    ...list,
    help: 'Cache export destinations (e.g., "type=inline", "type=local,dest=path/to/dir")',
  },
  call: {
    ...string,
    default: "build",
    help: 'Set method for evaluating build ("check", "outline", "targets")',
  },
  check: { ...bool, help: 'Shorthand for "--call=check"' },
  debug: { ...bool, short: "D", help: "Show warnings with the lines they are about" },
  file: {
    ...string,
    short: "f",
    help: 'Name of the Dockerfile (default: "PATH/Dockerfile"), or of a TypeScript module whose ' +
      "default export is an image; that runs with all your rights",
  },
  iidfile: { ...string, help: "Write the image ID to a file" },
  label: { ...list, help: "Set metadata for an image" },
  load: { ...bool, help: 'Shorthand for "--output=type=docker"' },
  metadataFile: { ...string, help: "Write build result metadata to a file" },
  network: {
    ...string,
    default: "default",
    help: 'Set the networking mode for the "RUN" instructions during build',
  },
  noCache: { ...bool, help: "Do not use cache when building the image" },
  noCacheFilter: { ...list, help: "Do not cache specified stages" },
  output: {
    ...list,
    short: "o",
    help: 'Output destination (format: "type=local,dest=path")',
  },
  platform: { ...list, help: "Set target platform for build" },
  progress: {
    ...string,
    default: "auto",
    help: 'Set type of progress output ("auto", "none", "plain", "quiet", "rawjson", "tty"). ' +
      "Use plain to show container output",
  },
  provenance: { ...string, hidden: true, help: "Attestation of where the image comes from" },
  pull: { ...bool, help: "Always attempt to pull all referenced images" },
  push: { ...bool, help: 'Shorthand for "--output=type=registry"' },
  quiet: {
    ...bool,
    short: "q",
    help: "Suppress the build output and print image ID on success",
  },
  sbom: { ...string, hidden: true, help: "Attestation of what is in the image" },
  secret: {
    ...list,
    help: 'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")',
  },
  shmSize: {
    type: "custom",
    hint: "bytes",
    parse: parseBytes,
    help: "Shared memory size for build containers",
  },
  squash: { ...bool, help: "Squash newly built layers into a single new layer" },
  ssh: {
    ...list,
    help: 'SSH agent socket to expose to the build (format: "default|<id>[=<socket>]")',
  },
  tag: { ...list, short: "t", help: 'Name and optionally a tag (format: "name:tag")' },
  target: { ...string, help: "Set the target build stage to build" },
  timestamp: {
    ...string,
    hint: "seconds",
    help: "Set all times in the image to seconds since 1970, as SOURCE_DATE_EPOCH does",
  },
  ulimit: {
    ...list,
    hint: "ulimit",
    help: "Ulimit options",
    check: (text: string) => void parseUlimit(text),
  },
  cgroupParent: ignoredString,
  compress: ignoredBool,
  cpuPeriod: ignoredString,
  cpuQuota: ignoredString,
  cpuShares: { ...ignoredString, short: "c" },
  cpusetCpus: ignoredString,
  cpusetMems: ignoredString,
  disableContentTrust: { ...ignoredBool, default: true },
  forceRm: ignoredBool,
  isolation: ignoredString,
  memory: { ...ignoredString, short: "m" },
  memorySwap: ignoredString,
  rm: { ...ignoredBool, default: true },
  securityOpt: { ...list, hidden: true, help: IGNORED },
} as const satisfies FlagTable;

/** Their values. */
export type BuildFlags = FlagValues<typeof buildFlags>;
