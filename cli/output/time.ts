/**
 * Points in time as docker prints them.
 *
 * @module
 */

/** RFC 3339 with nine digits of a second, in UTC: `2026-11-20T21:26:29.014113834Z`. */
export function formatUtc(unixNanos: bigint): string {
  const nanos = unixNanos % 1_000_000_000n;
  const seconds = new Date(Number(unixNanos / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(nanos).padStart(9, "0")}Z`;
}

/** As `formatUtc()`, but in the caller's time zone: `...+01:00`. */
export function formatLocal(unixNanos: bigint): string {
  const { offset, shifted } = localTime(Number(unixNanos / 1_000_000n));
  const nanos = String(unixNanos % 1_000_000_000n).padStart(9, "0");
  return `${shifted.toISOString().slice(0, 19)}.${nanos}${offset === 0 ? "Z" : zone(offset, ":")}`;
}

/** As Go prints a time: `2026-11-20 21:26:24 +0000 UTC`, in the caller's time zone. */
export function formatGoTime(unixSeconds: number): string {
  const { offset, shifted } = localTime(unixSeconds * 1000);
  const name = offset === 0 ? "UTC" : zoneName(unixSeconds);
  const text = shifted.toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} ${zone(offset, "")} ${name}`;
}

function localTime(ms: number): { offset: number; shifted: Date } {
  const offset = -new Date(ms).getTimezoneOffset();
  return { offset, shifted: new Date(ms + offset * 60_000) };
}

function zone(offset: number, separator: string): string {
  const digits = (value: number) => String(Math.trunc(value)).padStart(2, "0");
  const size = Math.abs(offset);
  return `${offset < 0 ? "-" : "+"}${digits(size / 60)}${separator}${digits(size % 60)}`;
}

function zoneName(unixSeconds: number): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" })
    .formatToParts(unixSeconds * 1000);
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}
