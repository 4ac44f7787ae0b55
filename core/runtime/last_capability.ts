/**
 * Which capabilities the running kernel knows.
 *
 * @see `/proc/sys/kernel/cap_last_cap`, capabilities(7)
 * @module
 */

/** CAP_CHECKPOINT_RESTORE, of Linux 5.9: where the kernel does not say. */
const OTHERWISE = 40;

/** The number of the newest one. */
export function lastCapability(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/sys/kernel/cap_last_cap"));
  } catch {
    return OTHERWISE;
  }
}
