/**
 * `docker network ls --filter`, with docker's meanings and refusals.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { matchesLabel } from "../lib/labels.ts";
import { isDefaultNetwork, type NetworkRecord } from "./record.ts";

const KEYS = ["dangling", "driver", "id", "label", "name", "scope", "type"];

/**
 * The networks that pass.
 *
 * @param isUsed Whether a running container is attached; only asked where it matters.
 * @throws {DhowError} `invalid_argument`, in docker's words.
 */
export function filterNetworks(
  networks: readonly NetworkRecord[],
  filters: Record<string, string[]>,
  isUsed: (network: NetworkRecord) => boolean,
): NetworkRecord[] {
  const unknown = Object.keys(filters).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw invalid(`invalid filter '${unknown}'`);
  const { driver = [], id = [], label = [], name = [], scope = [], type = [] } = filters;
  const wrongType = type.find((value) => value !== "custom" && value !== "builtin");
  if (wrongType !== undefined) throw invalid(`invalid filter: 'type'='${wrongType}'`);
  const dangling = parseDangling(filters.dangling ?? []);
  const any = (values: string[], passes: (value: string) => boolean) =>
    values.length === 0 || values.some(passes);
  return networks.filter((network) =>
    any(driver, (value) => value === network.driver) &&
    any(id, (value) => matches(value, network.id)) &&
    any(name, (value) => matches(value, network.name)) &&
    any(scope, (value) => value === (network.scope ?? "local")) &&
    any(type, (value) => (value === "builtin") === isDefaultNetwork(network.name)) &&
    label.every((value) => matchesLabel(value, network.labels)) &&
    (dangling === undefined ||
      dangling === (!isDefaultNetwork(network.name) && !isUsed(network)))
  );
}

function parseDangling(values: string[]): boolean | undefined {
  if (values.length === 0) return undefined;
  if (values.length === 1) {
    if (/^(1|true)$/.test(values[0]!)) return true;
    if (/^(0|false)$/.test(values[0]!)) return false;
  }
  throw invalid(
    `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`,
  );
}

/** Contained, or as a regular expression; one that is malformed matches nothing. */
function matches(pattern: string, text: string): boolean {
  if (text.includes(pattern)) return true;
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
