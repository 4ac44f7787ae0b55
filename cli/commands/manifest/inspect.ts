/**
 * `dhow manifest inspect`.
 *
 * @module
 */
import { inspectManifest as inspect } from "../../../core/registry/inspect_manifest.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";

/** Display an image manifest, or manifest list. */
export const inspectManifest = command({
  name: "inspect",
  summary: "Display an image manifest, or manifest list",
  args: "[MANIFEST_LIST] MANIFEST",
  flags: {
    insecure: { type: "bool", help: "Allow communication with an insecure registry" },
    verbose: {
      type: "bool",
      short: "v",
      help: "Output additional info including layers and platform",
    },
  },
  async run({ args, flags, out }) {
    // Docker's other form looks into lists that are being made here, and of those there are none.
    if (args.length > 1) throw new ExitError(1, `No such manifest: ${args[0]}`);
    const { verbose } = flags;
    const found = await inspect(args[0]!, { verbose, ...flags.insecure && { insecure: true } });
    // Docker indents lists by blanks, all else by tabs.
    const indent = found.kind === "index" && !verbose ? 3 : "\t";
    out.line(
      escapeControls(JSON.stringify(verbose ? found.details : found.json, undefined, indent)),
    );
  },
});

/** JSON text with the control characters that JSON itself lets pass written as escapes. */
function escapeControls(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
