/**
 * `dhow image push`.
 *
 * @module
 */
import { canonicalReference, familiarName, parseReference } from "../../../core/lib/reference.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { withInterrupt } from "../../interrupt.ts";
import { showProgress } from "../../output/progress.ts";
import { isSsh, remoteDhowFlag, transferOverSsh } from "../../ssh_transfer.ts";

/** Upload an image to a registry. */
export const pushImage = command({
  name: "push",
  summary: "Upload an image to a registry",
  args: "NAME[:TAG]",
  flags: {
    allTags: { type: "bool", short: "a", help: "Push all tags of an image to the repository" },
    disableContentTrust: { type: "bool", default: true, hidden: true, help: "Skip image signing" },
    platform: {
      type: "string",
      help: "Push a platform-specific manifest as a single-platform image to the registry.\n" +
        "Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n" +
        "'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    },
    remoteDhow: remoteDhowFlag,
    quiet: { type: "bool", short: "q", help: "Suppress verbose output" },
  },
  async run({ args, flags, engine, out }) {
    const [name] = args as [string];
    if (isSsh(name)) return await transferOverSsh(engine, "push", name, { ...flags, out });
    const reference = parseReference(name);
    const isBare = reference.tag === undefined && reference.digest === undefined;
    if (flags.allTags && !isBare) throw new ExitError(1, "tag can't be used with --all-tags/-a");
    if (reference.digest !== undefined) {
      throw new ExitError(1, "cannot push a digest reference");
    }
    if (!flags.quiet) {
      if (isBare && !flags.allTags) out.line("Using default tag: latest");
      const { domain, repository } = reference;
      out.line(`The push refers to repository [${domain}/${repository}]`);
    }
    await withInterrupt((signal) =>
      engine.images.push(name, {
        signal,
        allTags: flags.allTags,
        ...flags.platform !== "" && { platform: flags.platform },
        ...!flags.quiet && { onProgress: showProgress(out) },
      })
    );
    if (flags.quiet) {
      out.line(flags.allTags ? familiarName(reference) : canonicalReference(reference));
    }
  },
});
