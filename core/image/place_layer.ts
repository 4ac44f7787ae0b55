/**
 * Giving an unpacked layer its names.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { isDirectory } from "../host/stat.ts";
import { shortLayerName } from "../layer/chain_id.ts";

/**
 * Makes the directory `temporary` the layer `chainId` below `base`, with its size beside it; or, where another process
 * was faster and made the same, leaves it to the caller to remove.
 *
 * @param base `layers/<mapping>`.
 * @returns Whether `temporary` is gone.
 */
export async function placeLayer(
  base: string,
  chainId: string,
  made: { temporary: string; sizeBytes: number },
): Promise<boolean> {
  await Deno.writeTextFile(`${base}/s/${chainId}`, String(made.sizeBytes));
  try {
    await Deno.rename(made.temporary, `${base}/${chainId}`);
    return true;
  } catch (error) {
    if (!isDirectory(`${base}/${chainId}`)) throw error;
    return false;
  }
}

/** Makes the short name of a layer, if it has none yet. @returns Its path. */
export async function linkLayer(base: string, chainId: string): Promise<string> {
  const link = `${base}/l/${shortLayerName(chainId)}`;
  const target = `../${chainId}`;
  try {
    await Deno.symlink(target, link);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (await Deno.readLink(link) !== target) {
      throw new DhowError("internal", `Cannot name a layer "${link}": the name is taken`);
    }
  }
  return link;
}
