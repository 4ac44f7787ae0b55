/**
 * `docker events --filter`.
 *
 * @module
 */
import { matchesLabel } from "../lib/labels.ts";
import type { EventMessage } from "../spec/docker_api.ts";

/** `{event: ["start", "die"], label: ["a=b"]}`. */
export type EventFilters = Record<string, string[]>;

const FUZZY_ACTIONS = ["health_status", "exec_create", "exec_start"];

/** Whether `event` passes: every key has to, by any of its values; labels by all. Unknown keys do not matter. */
export function matchesEvent(filters: EventFilters, event: EventMessage): boolean {
  const { ID, Attributes } = event.Actor;
  const byNameOrId = (value: string) =>
    ID.startsWith(value) || (Attributes.name ?? "").startsWith(value);
  return Object.entries(filters).every(([key, values]) => {
    if (values.length === 0) return true;
    switch (key) {
      case "event":
        return values.some((value) => matchesAction(value, event.Action));
      case "type":
        return values.includes(event.Type);
      case "scope":
        return values.includes(event.scope);
      case "label":
        return values.every((value) => matchesLabel(value, Attributes));
      case "image":
        return matchesImage(values, event);
      case "container":
      case "daemon":
      case "network":
      case "volume":
        return values.some(byNameOrId);
      default:
        return true;
    }
  });
}

/** `exec_create` also means `exec_create: sh -c true`. */
function matchesAction(value: string, action: string): boolean {
  if (value === action) return true;
  return FUZZY_ACTIONS.includes(value) && action.startsWith(`${value}:`);
}

function matchesImage(values: readonly string[], event: EventMessage): boolean {
  const { ID, Attributes } = event.Actor;
  const name = (event.Type === "image" ? Attributes.name : Attributes.image) ?? "";
  // Without its tag, as docker's own filter does.
  const plain = name.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
  return values.some((value) => value === ID || value === name || value === plain);
}
