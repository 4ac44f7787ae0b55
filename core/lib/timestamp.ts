/**
 * Points in time as Go writes them.
 *
 * @module
 */

/** What Go shows for a time that never was. */
export const ZERO_TIMESTAMP = "0001-01-01T00:00:00Z";

/** Unix nanoseconds as RFC 3339 in UTC, without final zeros of the fraction; 0 is {@linkcode ZERO_TIMESTAMP}. */
export function formatTimestamp(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return ZERO_TIMESTAMP;
  const seconds = nanoseconds / 1_000_000_000n;
  const fraction = String(nanoseconds % 1_000_000_000n).padStart(9, "0").replace(/0+$/, "");
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${date}${fraction === "" ? "" : `.${fraction}`}Z`;
}

/** Now, in Unix nanoseconds, as exact as the runtime's clock. */
export function nowNanoseconds(): bigint {
  const microseconds = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return BigInt(microseconds) * 1000n;
}
