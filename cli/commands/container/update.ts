/**
 * `dhow container update`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { forEach } from "../../for_each.ts";
import { toUpdates } from "../../limit_values.ts";
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
    const changes = {
      ...toUpdates(flags, given as (flag: string) => boolean),
      ...given("restart") && { RestartPolicy: parseRestartPolicy(flags.restart) },
    };
    const warnings: string[] = [];
    const code = await forEach(args, { out, err }, async (name) => {
      warnings.push(...(await engine.containers.update(name, changes)).warnings);
    });
    for (const warning of warnings) out.line(warning);
    return code;
  },
});
