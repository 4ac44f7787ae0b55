/**
 * What all forms of `inspect` share.
 *
 * @module
 */
import { lazy } from "../core/lib/lazy.ts";
import type { CommandContext } from "./command.ts";
import { ExitError } from "./errors.ts";
import { errorText } from "./for_each.ts";
import { formatJson } from "./output/json.ts";
import type { Template } from "./output/template.ts";

/** Go fields that are pointers: unset, they print as `<nil>`. */
const POINTERS = new Set(
  ("MemorySwappiness OomKillDisable PidsLimit Healthcheck Health IPAMConfig SizeRw SizeRootFs Init " +
    "StopTimeout ImageManifestDescriptor").split(" "),
);
/** Go fields that are maps: unset, they print as `map[]`. */
const MAPS = new Set(
  ("Labels Volumes PortBindings DriverOpts Data Annotations ExposedPorts Sysctls Tmpfs Config " +
    "StorageOpt Networks Ports Options").split(" "),
);
/** Go fields that are strings: unset, they print as nothing. */
const STRINGS = new Set(["Name", "Driver"]);
/** Fields that are left out of the JSON when unset, but that Go's templates know. */
const OPTIONAL = new Set(
  ("SizeRw SizeRootFs Health Healthcheck Init StopTimeout Annotations ExposedPorts Sysctls Tmpfs " +
    "StorageOpt Mounts StopSignal Shell Name Driver").split(" "),
);

/**
 * Prints what `find` returns for each name, as JSON or through a template; then the errors.
 *
 * @returns The exit code: 1 if a name was not found or the template failed on it.
 */
export async function inspectAll(
  { args, out, err, format }: Pick<CommandContext, "args" | "out" | "err"> & { format: string },
  find: (name: string) => Promise<unknown>,
): Promise<number> {
  const template = format === "" || format === "json" ? undefined : await compile(format);
  const found: unknown[] = [];
  const errors: string[] = [];
  let text = "";
  for (const name of args) {
    try {
      const object = await find(name);
      found.push(object);
      if (template !== undefined) text += template(object) + "\n";
    } catch (error) {
      errors.push(
        error instanceof Error && error.name === "TemplateError"
          ? `template parsing error: ${error.message}`
          : errorText(error),
      );
    }
  }
  if (template !== undefined) out.write(text === "" ? "\n" : text);
  else if (format === "json") out.line(JSON.stringify(found));
  else out.line(found.length === 0 ? "[]" : formatJson(found));
  for (const error of errors) err.line(error);
  return errors.length > 0 ? 1 : 0;
}

function nilText(field: string): string {
  if (STRINGS.has(field)) return "";
  return POINTERS.has(field) ? "<nil>" : MAPS.has(field) ? "map[]" : "[]";
}

async function compile(source: string): Promise<Template> {
  const { compileTemplate } = await lazy<typeof import("./output/template.ts")>(
    "./output/template.ts",
    import.meta.url,
  );
  try {
    return compileTemplate(source, {
      nilText,
      isOptional: (field) => OPTIONAL.has(field),
    });
  } catch (error) {
    throw new ExitError(64, `template parsing error: ${(error as Error).message}`);
  }
}
