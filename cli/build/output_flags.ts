/**
 * `--output`, `--load` and `--push`: where what was built goes.
 *
 * @module
 */
import { invalid, parseFields } from "./fields.ts";

/** One destination. */
export type BuildOutput =
  /** In the store, under its names. */
  | { kind: "image" }
  /** To the registries that its names say. */
  | { kind: "push" }
  /** The files of its root, in a directory. */
  | { kind: "local"; directory: string }
  /** The files of its root, or the image, as an archive. `path` is empty for stdout. */
  | { kind: "tar" | "oci" | "docker"; path: string };

/** All of them. */
export interface OutputFlags {
  outputs: BuildOutput[];
  /** `name=` of outputs: further tags. */
  names: string[];
}

/** Brings the three flags together; nothing asked for is an image in the store. */
export function parseOutputs(
  flags: { output: readonly string[]; load: boolean; push: boolean },
): OutputFlags {
  const outputs: BuildOutput[] = [];
  const names: string[] = [];
  for (const text of flags.output) {
    const parsed = parseOutput(text);
    outputs.push(...parsed.outputs);
    names.push(...parsed.names);
  }
  if (flags.load) outputs.push({ kind: "image" });
  if (flags.push) outputs.push({ kind: "image" }, { kind: "push" });
  if (outputs.length === 0) outputs.push({ kind: "image" });
  const toStdout = outputs.filter((output) => "path" in output && output.path === "");
  if (toStdout.length > 1) throw invalid("only one output can be written to stdout");
  return { outputs, names };
}

function parseOutput(text: string): OutputFlags {
  if (text === "-") return { outputs: [{ kind: "tar", path: "" }], names: [] };
  if (!text.includes("=")) return { outputs: [{ kind: "local", directory: text }], names: [] };
  const fields = Object.fromEntries(parseFields(text));
  const { type, dest = "" } = fields;
  const names = (fields.name ?? "").split(",").filter((name) => name !== "");
  const path = dest === "-" ? "" : dest;
  switch (type) {
    case "local":
      if (dest === "") throw invalid("dest is required for local exporter");
      return { outputs: [{ kind: "local", directory: dest }], names };
    case "tar":
    case "oci":
      return { outputs: [{ kind: type, path }], names };
    case "docker":
      if (!("dest" in fields)) return { outputs: [{ kind: "image" }], names };
      return { outputs: [{ kind: "docker", path }], names };
    case "image":
    case "registry": {
      const isPushed = type === "registry" || /^(1|t|true)$/i.test(fields.push ?? "");
      return {
        outputs: [{ kind: "image" }, ...isPushed ? [{ kind: "push" } as const] : []],
        names,
      };
    }
    case undefined:
      throw invalid(`type is required for output ${JSON.stringify(text)}`);
    default:
      throw invalid(
        `exporter ${JSON.stringify(type)} could not be found; ` +
          "there are: local, tar, oci, docker, image, registry",
      );
  }
}
