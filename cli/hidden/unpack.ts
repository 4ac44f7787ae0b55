/**
 * `dhow __unpack REQUEST`: unpacks a layer, as root of the user namespace it was started in.
 *
 * REQUEST is JSON: an `UnpackBlobRequest`, `{adopt: AdoptRequest}` or `{measure: DIRECTORY}`. One line of JSON on stdout answers:
 * `{result}` or `{error: {code, message}}`.
 *
 * @module
 */
import { adoptDirectories, type AdoptRequest } from "../../core/layer/implied.ts";
import { measureTree } from "../../core/layer/measure.ts";
import { unpackBlob, type UnpackBlobRequest } from "../../core/layer/unpack_blob.ts";
import { answerWith } from "./answer.ts";

/** Runs the verb. @returns The exit code. */
export async function run(args: string[]): Promise<number> {
  return await answerWith(() => perform(args[0] ?? "{}"));
}

async function perform(text: string): Promise<unknown> {
  const request: UnpackBlobRequest | { adopt: AdoptRequest } | { measure: string } = JSON
    .parse(text);
  if ("measure" in request) return { sizeBytes: measureTree(request.measure) };
  if (!("adopt" in request)) return await unpackBlob(request);
  adoptDirectories(request.adopt);
  return {};
}
