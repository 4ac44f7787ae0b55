/**
 * `dhow image pull`.
 *
 * @module
 */
import { canonicalReference, parseReference } from "../../../core/lib/reference.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { withInterrupt } from "../../interrupt.ts";
import { showProgress } from "../../output/progress.ts";
import { isSsh, remoteDhowFlag, transferOverSsh } from "../../ssh_transfer.ts";

/** Download an image from a registry. */
export const pullImage = command({
  name: "pull",
  summary: "Download an image from a registry",
  args: "NAME[:TAG|@DIGEST]",
  flags: {
    allTags: { type: "bool", short: "a", help: "Download all tagged images in the repository" },
    disableContentTrust: {
      type: "bool",
      default: true,
      hidden: true,
      help: "Skip image verification",
    },
    platform: { type: "string", help: "Set platform if server is multi-platform capable" },
    remoteDhow: remoteDhowFlag,
    quiet: { type: "bool", short: "q", help: "Suppress verbose output" },
  },
  async run({ args, flags, engine, out }) {
    const [name] = args as [string];
    if (isSsh(name)) return await transferOverSsh(engine, "pull", name, { ...flags, out });
    const reference = parseReference(name);
    const isBare = reference.tag === undefined && reference.digest === undefined;
    if (flags.allTags && !isBare) throw new ExitError(1, "tag can't be used with --all-tags/-a");
    if (isBare && !flags.allTags && !flags.quiet) out.line("Using default tag: latest");
    await withInterrupt((signal) =>
      engine.images.pull(name, {
        signal,
        allTags: flags.allTags,
        ...flags.platform !== "" && { platform: flags.platform },
        ...!flags.quiet && { onProgress: showProgress(out) },
      })
    );
    const { domain, repository } = reference;
    out.line(flags.allTags ? `${domain}/${repository}` : canonicalReference(reference));
  },
});
