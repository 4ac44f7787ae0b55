/**
 * `docker ps --filter`, with docker's meanings and refusals.
 *
 * @module
 */
import { DhowError, noSuchContainer } from "../errors.ts";
import { matchesLabel } from "../lib/labels.ts";
import type { EndpointSettings } from "../spec/docker_api.ts";
import type { ContainerRecord } from "./record.ts";
import { isRunning, type State } from "./state.ts";

/** A container with its state, as lists are made of. */
export interface ListedContainer {
  record: ContainerRecord;
  state: State;
  /** Its endpoints, by the name of the network; only asked for where they matter. */
  networks?: () => Record<string, EndpointSettings>;
}

/** Which containers to list. */
export interface FilterOptions {
  /** Also those that are not running. */
  all?: boolean;
  /** Only the newest n, whatever their state. */
  last?: number;
  /** `{status: ["exited"], label: ["a=b"]}`. */
  filters?: Record<string, string[]>;
  /** Ids of the images that `ancestor=NAME` means: the one so called and those made from it. */
  ancestorIds?: (name: string) => readonly string[];
}

const KEYS = new Set(
  ("ancestor before exited expose health id is-task isolation label name network publish since " +
    "status volume").split(" "),
);
const STATUSES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const HEALTH = ["none", "starting", "healthy", "unhealthy"];

type Test = (container: ListedContainer) => boolean;

/**
 * The containers that pass, newest first.
 *
 * @throws {DhowError} `invalid_argument` or `not_found`, in docker's words.
 */
export function filterContainers(
  containers: readonly ListedContainer[],
  options: FilterOptions = {},
): ListedContainer[] {
  const { filters = {}, last = 0 } = options;
  assertFilters(filters);
  const sorted = containers.toSorted(newestFirst);
  const values = (key: string) => filters[key] ?? [];
  const all = options.all || last > 0 || values("status").length > 0;
  const tests = buildTests(filters, options);
  const found = between(sorted, values("before").at(-1), values("since").at(-1))
    .filter((container) => all || isUp(container))
    .filter((container) => tests.every((test) => test(container)));
  return last > 0 ? found.slice(0, last) : found;
}

/** Waiting to be restarted counts as running. */
function isUp({ state }: ListedContainer): boolean {
  return isRunning(state.status) || state.status === "restarting";
}

function newestFirst(a: ListedContainer, b: ListedContainer): number {
  const [left, right] = [BigInt(a.record.createdNs), BigInt(b.record.createdNs)];
  return left < right ? 1 : left > right ? -1 : 0;
}

/** Those older than `before` and newer than `since`, of a list from new to old. */
function between(
  sorted: ListedContainer[],
  before: string | undefined,
  since: string | undefined,
): ListedContainer[] {
  const from = before === undefined ? 0 : indexOf(sorted, before) + 1;
  const to = since === undefined ? sorted.length : indexOf(sorted, since);
  return sorted.slice(from, Math.max(from, to));
}

function indexOf(containers: readonly ListedContainer[], name: string): number {
  const plain = name.replace(/^\//, "");
  const index = containers.findIndex(({ record }) => record.id === plain || record.name === plain);
  if (index >= 0) return index;
  const byPrefix = containers.findIndex(({ record }) =>
    plain !== "" && record.id.startsWith(plain)
  );
  if (byPrefix < 0) throw noSuchContainer(name);
  return byPrefix;
}

function assertFilters(filters: Record<string, string[]>): void {
  const refuse = (filter: string, why = "") => {
    throw new DhowError("invalid_argument", `invalid filter '${filter}'${why && `: ${why}`}`);
  };
  const oneOf = (words: string[]) => `must be one of ${words.join(", ")}`;
  for (const [key, values] of Object.entries(filters)) {
    if (!KEYS.has(key)) refuse(key);
    for (const value of values) {
      if (key === "exited" && !/^[+-]?\d+$/.test(value)) {
        refuse(`exited=${value}`, `strconv.Atoi: parsing "${value}": invalid syntax`);
      }
      if (key === "status" && !STATUSES.includes(value)) {
        refuse(`status=${value}`, `invalid value for state (${value}): ${oneOf(STATUSES)}`);
      }
      if (key === "health" && !HEALTH.includes(value)) {
        refuse(`health=${value}`, `invalid value for health (${value}): ${oneOf(HEALTH)}`);
      }
    }
    const isBoolean = values.length === 1 && /^(0|1|t|f|true|false)$/i.test(values[0]!);
    if (key === "is-task" && !isBoolean) refuse(`is-task=[${values.join(" ")}]`);
  }
}

function buildTests(filters: Record<string, string[]>, options: FilterOptions): Test[] {
  const tests: Test[] = [];
  for (const [key, values] of Object.entries(filters)) {
    const test = values.length > 0 ? buildTest(key, values, options) : undefined;
    if (test !== undefined) tests.push(test);
  }
  const ports = portTest(filters.publish ?? [], filters.expose ?? []);
  if (ports !== undefined) tests.push(ports);
  return tests;
}

function buildTest(key: string, values: string[], options: FilterOptions): Test | undefined {
  switch (key) {
    case "id":
      return ({ record }) => values.some((value) => record.id.startsWith(value));
    case "name":
      return ({ record }) =>
        values.some((value) => matches(value, record.name) || matches(value, `/${record.name}`));
    case "label":
      return ({ record }) => values.every((value) => matchesLabel(value, record.config.Labels));
    case "exited":
      return ({ state }) =>
        state.startedAt !== 0n && !isRunning(state.status) &&
        values.some((value) => Number(value) === state.exitCode);
    case "status":
      return ({ state }) => values.includes(state.status);
    case "health":
      return ({ state }) => values.includes(state.health?.Status ?? "none");
    case "volume":
      return ({ record }) =>
        record.mounts.some((point) =>
          values.includes(point.Destination) || values.includes(point.Name || point.Source)
        );
    case "network":
      return ({ networks }) => {
        const endpoints = Object.entries(networks?.() ?? {});
        return values.some((value) =>
          endpoints.some(([name, { NetworkID }]) =>
            name === value || NetworkID !== "" && NetworkID.startsWith(value)
          )
        );
      };
    case "ancestor": {
      const ids = new Set(values.flatMap((value) => options.ancestorIds?.(value) ?? []));
      return ({ record }) => ids.has(record.image.id);
    }
    case "is-task":
      // Only swarm's containers are tasks.
      return () => /^(0|f|false)$/i.test(values[0]!);
    default:
      return undefined;
  }
}

/** Equal, or as a regular expression; one that is malformed matches nothing. */
function matches(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}

/** Either filter will do, as docker has it. */
function portTest(publish: string[], expose: string[]): Test | undefined {
  const published = new Set(publish.flatMap((value) => parsePorts("publish", value)));
  const exposed = new Set(expose.flatMap((value) => parsePorts("expose", value)));
  if (published.size === 0 && exposed.size === 0) return undefined;
  return ({ record: { config, hostConfig } }) => {
    const bindings = Object.entries(hostConfig.PortBindings ?? {});
    const publicPorts = bindings.flatMap(([port, hosts]) =>
      hosts.map(({ HostPort }) => `${HostPort}/${port.split("/")[1] ?? "tcp"}`)
    );
    const privatePorts = [
      ...bindings.map(([port]) => port),
      ...Object.keys(config.ExposedPorts ?? {}),
    ];
    return publicPorts.some((port) => published.has(port)) ||
      privatePorts.some((port) => exposed.has(port));
  };
}

/** `80`, `80/udp`, `80-90/tcp`. */
function parsePorts(key: "publish" | "expose", value: string): string[] {
  if (value.includes(":")) {
    throw new DhowError("invalid_argument", `filter for '${key}' should not contain ':': ${value}`);
  }
  const [range = "", protocol = "tcp"] = value.split("/");
  const [from = "", to = from] = range.split("-");
  const [start, end] = [from, to].map((text) => {
    if (/^\d+$/.test(text)) return Number(text);
    const why = `strconv.ParseUint: parsing "${text}": invalid syntax`;
    throw new DhowError(
      "invalid_argument",
      `error while looking up for ${key} ${value}: ${why}`,
    );
  }) as [number, number];
  if (end > 65535) {
    throw new DhowError(
      "invalid_argument",
      `error while looking up for ${key} ${value}: strconv.ParseUint: parsing "${to}": value out of range`,
    );
  }
  return Array.from({ length: Math.max(0, end - start + 1) }, (_, i) => `${start + i}/${protocol}`);
}
