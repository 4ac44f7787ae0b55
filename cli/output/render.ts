/**
 * What `--format TEMPLATE` makes of one thing.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { ExitError } from "../errors.ts";

/**
 * The text that the template `format` makes of `data`.
 *
 * @throws {ExitError} 64, as docker, if the template is wrong.
 */
export async function render(format: string, data: unknown): Promise<string> {
  const { compileTemplate } = await lazy<typeof import("./template.ts")>(
    "./template.ts",
    import.meta.url,
  );
  try {
    return compileTemplate(format)(data);
  } catch (error) {
    throw new ExitError(64, `template parsing error: ${(error as Error).message}`);
  }
}
