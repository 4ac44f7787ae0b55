/**
 * `dhow container update`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { flagName } from "../../flags.ts";
import { forEach } from "../../for_each.ts";
import { createFlags } from "../../run_flags.ts";
import { parseRestartPolicy } from "../../run_values.ts";

const { blkioWeight, cpuPeriod, cpuQuota, cpuRtPeriod, cpuRtRuntime, cpuShares } = createFlags;
const { cpus, cpusetCpus, cpusetMems, memory, memoryReservation, memorySwap } = createFlags;

/** Update configuration of one or more containers. */
export const update = command({
  name: "update",
  summary: "Update configuration of one or more containers",
  args: "CONTAINER [CONTAINER...]",
  flags: {
    blkioWeight,
    cpuPeriod,
    cpuQuota,
    cpuRtPeriod,
    cpuRtRuntime,
    cpuShares,
    cpus,
    cpusetCpus,
    cpusetMems,
    memory,
    memoryReservation,
    memorySwap,
    pidsLimit: createFlags.pidsLimit,
    restart: { type: "string", help: "Restart policy to apply when a container exits" },
  },
  async run({ args, flags, given, engine, out, err }) {
    const names = Object.keys(flags).filter((name) => given(name as keyof typeof flags));
    if (names.length === 0) {
      throw new ExitError(1, "you must provide one or more flags when using this command");
    }
    const limit = names.find((name) => name !== "restart");
    if (limit !== undefined) {
      const message = `--${
        flagName(limit)
      } is not supported yet: resource limits come with cgroups`;
      throw new DhowError("unsupported", message);
    }
    const warnings: string[] = [];
    const code = await forEach(args, { out, err }, async (name) => {
      const changes = { RestartPolicy: parseRestartPolicy(flags.restart) };
      warnings.push(...(await engine.containers.update(name, changes)).warnings);
    });
    for (const warning of warnings) out.line(warning);
    return code;
  },
});
