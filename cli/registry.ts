/**
 * Which commands there are: name, summary and where the code is, loaded only when the command runs.
 *
 * @module
 */
import { builderEntries } from "./registry/builder.ts";
import { containerEntries } from "./registry/container.ts";
import type { Entry } from "./registry/entry.ts";
import { imageEntries } from "./registry/image.ts";
import { manifestEntries } from "./registry/manifest.ts";
import { networkEntries } from "./registry/network.ts";
import { registryEntries } from "./registry/registry.ts";
import { systemEntries } from "./registry/system.ts";
import { volumeEntries } from "./registry/volume.ts";

/** Docker's groups and what they hold. */
export interface Group {
  summary: string;
}

/** `dhow GROUP`. */
export const groups: Readonly<Record<string, Group>> = {
  builder: { summary: "Manage builds" },
  buildx: { summary: "The same, by the name of docker's plugin" },
  container: { summary: "Manage containers" },
  image: { summary: "Manage images" },
  manifest: { summary: "Look at manifests and manifest lists in registries" },
  network: { summary: "Manage networks" },
  system: { summary: "Manage dhow" },
  volume: { summary: "Manage volumes" },
};

/** What `dhow --help` lists first. */
export const commonCommands: readonly string[] = [
  "run",
  "exec",
  "ps",
  "build",
  "pull",
  "push",
  "images",
  "login",
  "logout",
  "search",
  "version",
  "info",
];

/** All verbs. */
export const entries: readonly Entry[] = [
  ...builderEntries,
  ...containerEntries,
  ...imageEntries,
  ...manifestEntries,
  ...networkEntries,
  ...registryEntries,
  ...systemEntries,
  ...volumeEntries,
];

/** The verb called by `path` (`ps`, `container ls`). */
export function findEntry(path: string): Entry | undefined {
  return entries.find((entry) => entry.paths.includes(path));
}

/** Verbs of a group, or of the top for `""`, by the name that lists show, sorted. */
export function verbsOf(group: string): { name: string; entry: Entry }[] {
  const found: { name: string; entry: Entry }[] = [];
  for (const entry of entries) {
    const path = entry.paths.find((path) =>
      group === "" ? !path.includes(" ") : path.startsWith(group + " ")
    );
    if (path !== undefined) found.push({ name: path.slice(path.indexOf(" ") + 1), entry });
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}
