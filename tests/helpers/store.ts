/**
 * Cleaning up after tests that ran containers.
 *
 * @module
 */

const launcher = new URL("../../dhow", import.meta.url).pathname;

/** Removes every container of the store `root`, then the store with the files that belong to subordinate ids. */
export async function removeStore(root: string): Promise<void> {
  const ids = (await dhow(["--root", root, "ps", "-aq"])).split("\n").filter((id) => id !== "");
  if (ids.length > 0) await dhow(["--root", root, "rm", "-fv", ...ids]);
  await dhow(["__rmtree", root]);
}

async function dhow(args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(launcher, { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}
