/**
 * `dhow __unpack REQUEST`: unpacks a layer, as root of the user namespace it was started in.
 *
 * REQUEST is JSON: an `UnpackBlobRequest`, `{adopt: AdoptRequest}` or `{measure: DIRECTORY}`. One line of JSON on stdout answers:
 * `{result}` or `{error: {code, message}}`.
 *
 * @module
 */
import { DhowError } from "../../core/errors.ts";
import { adoptDirectories, type AdoptRequest } from "../../core/layer/implied.ts";
import { measureTree } from "../../core/layer/measure.ts";
import { unpackBlob, type UnpackBlobRequest } from "../../core/layer/unpack_blob.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  const answer = await perform(args[0] ?? "{}").then(
    (result) => ({ result }),
    (error) => ({ error: describe(error) }),
  );
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answer) + "\n"));
  return "error" in answer ? 1 : 0;
}

async function perform(text: string): Promise<unknown> {
  const request: UnpackBlobRequest | { adopt: AdoptRequest } | { measure: string } = JSON
    .parse(text);
  if ("measure" in request) return { sizeBytes: measureTree(request.measure) };
  if (!("adopt" in request)) return await unpackBlob(request);
  adoptDirectories(request.adopt);
  return {};
}

function describe(error: unknown): { code: string; message: string } {
  const code = error instanceof DhowError ? error.code : "internal";
  return { code, message: error instanceof Error ? error.message : String(error) };
}
