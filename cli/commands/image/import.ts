/**
 * `dhow image import`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { parseReference } from "../../../core/lib/reference.ts";
import { command } from "../../command.ts";
import { openInput } from "../../input.ts";

/** Import the contents from a tarball to create a filesystem image. */
export const importImage = command({
  name: "import",
  summary: "Import the contents from a tarball to create a filesystem image",
  args: "file|URL|- [REPOSITORY[:TAG]]",
  flags: {
    change: {
      type: "list",
      short: "c",
      help: "Apply Dockerfile instruction to the created image",
    },
    message: { type: "string", short: "m", help: "Set commit message for imported image" },
    platform: { type: "string", help: "Set platform if server is multi-platform capable" },
  },
  async run({ args, flags, engine, out, err }) {
    const [source, reference] = args as [string, string?];
    // Before anything is read: a name that cannot be given is found out at once.
    if (reference !== undefined) parseReference(reference);
    const isUrl = /^https?:\/\//.test(source);
    if (isUrl) err.line(`Downloading from ${source}`);
    const tar = isUrl ? await download(source) : await openInput(source);
    const message = flags.message || (isUrl ? `Imported from ${source}` : "");
    const id = await engine.images.import(tar, {
      changes: flags.change,
      ...(reference !== undefined && { reference }),
      ...(message !== "" && { message }),
      ...(flags.platform !== "" && { platform: flags.platform }),
    });
    out.line(id);
  },
});

async function download(url: string): Promise<ReadableStream<Uint8Array>> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DhowError("unavailable", `Cannot download "${url}": ${reason}`, { cause });
  }
  if (response.ok && response.body !== null) return response.body;
  await response.body?.cancel();
  throw new DhowError(
    "unavailable",
    `Cannot download "${url}": the server answered ${response.status} ${response.statusText}`,
  );
}
