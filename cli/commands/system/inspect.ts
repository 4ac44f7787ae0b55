/**
 * `dhow inspect`: containers, images, networks and volumes alike.
 *
 * @module
 */
import type { Engine } from "../../../core/engine/engine.ts";
import { DhowError } from "../../../core/errors.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { inspectAll } from "../../inspect.ts";
import { INSPECT_FORMAT_HELP } from "../../output/format_help.ts";

/** Docker's types; a name is looked up in this order. */
const TYPES =
  '"config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"';

/** Return low-level information on dhow objects. */
export const inspect = command({
  name: "inspect",
  summary: "Return low-level information on dhow objects",
  args: "NAME|ID [NAME|ID...]",
  flags: {
    format: { type: "string", short: "f", help: INSPECT_FORMAT_HELP },
    size: {
      type: "bool",
      short: "s",
      help: "Display total file sizes if the type is container",
    },
    type: { type: "string", help: "Only inspect objects of the given type" },
  },
  async run({ args, flags, engine, out, err }) {
    const { format, size, type } = flags;
    if (type !== "" && !TYPES.includes(`"${type}"`)) {
      throw new ExitError(1, `unknown type: ${JSON.stringify(type)}: must be one of ${TYPES}`);
    }
    return await inspectAll(
      { args, out, err, format },
      (name) => find(engine, name, { size, type }),
    );
  },
});

async function find(
  engine: Engine,
  name: string,
  options: { size: boolean; type: string },
): Promise<unknown> {
  const { size, type } = options;
  if (type === "container") return await engine.containers.inspect(name, { size });
  if (type === "image") return await engine.images.inspect(name);
  if (type === "network") return await engine.networks.inspect(name);
  if (type === "volume") return await engine.volumes.inspect(name);
  if (type === "") {
    const lookups = [
      () => engine.containers.inspect(name, { size }),
      () => engine.images.inspect(name),
      () => engine.networks.inspect(name),
      () => engine.volumes.inspect(name),
    ];
    for (const lookup of lookups) {
      try {
        return await lookup();
      } catch (error) {
        if (!(error instanceof DhowError && error.code === "not_found")) throw error;
      }
    }
    throw new Error(`Error: No such object: ${name}`);
  }
  throw new Error(`No such ${type}: ${name}`);
}
