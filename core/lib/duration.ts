/**
 * Durations and points in time as Go and docker write them.
 *
 * @module
 */

const NANOS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  "µs": 1e3,
  "μs": 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Nanoseconds of `1h30m`, `1.5s`, `100ms`, `0`.
 *
 * @throws {Error} Go's words: `time: invalid duration "abc"`.
 */
export function parseDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const body = /^[+-]?(.*)$/s.exec(text)![1]!;
  if (body === "0") return 0;
  if (body === "") throw new Error(`time: invalid duration ${quoted}`);
  let total = 0;
  let rest = body;
  while (rest !== "") {
    const match = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (match === null) throw new Error(`time: invalid duration ${quoted}`);
    const [all, count, unit] = match as unknown as [string, string, string];
    if (unit === "") throw new Error(`time: missing unit in duration ${quoted}`);
    const nanos = Object.hasOwn(NANOS, unit) ? NANOS[unit] : undefined;
    if (nanos === undefined) {
      throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    }
    total += Number(count) * nanos;
    rest = rest.slice(all.length);
  }
  // Go's `int64` ends there.
  if (total >= 2 ** 63) throw new Error(`time: invalid duration ${quoted}`);
  return text.startsWith("-") ? -Math.trunc(total) : Math.trunc(total);
}

/** `About a minute`, `3 hours`: how long ago something was. */
export function formatHumanDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 1) return "Less than a second";
  if (whole === 1) return "1 second";
  if (whole < 60) return `${whole} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

/**
 * Unix nanoseconds of what `--since` and `--until` take: RFC 3339 in full or cut short, Unix seconds with a fraction, or
 * a duration before `nowMs`.
 *
 * @throws {Error} If it is none of these.
 */
export function parseTimestamp(text: string, nowMs: number): bigint {
  const seconds = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (seconds !== null) {
    return BigInt(seconds[1]!) * 1_000_000_000n + BigInt((seconds[2] ?? "").padEnd(9, "0"));
  }
  try {
    return BigInt(Math.round(nowMs)) * 1_000_000n - BigInt(parseDuration(text));
  } catch {
    // Not a duration; perhaps a date.
  }
  const date =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(Z|[+-]\d\d:\d\d)?)?Z?$/
      .exec(text);
  if (date === null) throw new Error(`failed to parse value as time or duration: "${text}"`);
  const [, day, hour = "00", minute = "00", second = "00", fraction = "", zone] = date;
  // Without a zone it is local time, as in docker.
  const ms = Date.parse(
    `${day}T${hour}:${minute}:${second}${zone ?? (text.endsWith("Z") ? "Z" : "")}`,
  );
  if (Number.isNaN(ms)) throw new Error(`failed to parse value as time or duration: "${text}"`);
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
