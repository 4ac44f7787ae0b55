import { assertEquals, assertThrows } from "@std/assert";
import { formatHumanDuration, parseDuration, parseTimestamp } from "./duration.ts";

Deno.test("parseDuration() reads Go's durations", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["1h30m", 5400e9],
    ["1.5s", 1.5e9],
    ["-10ms", -1e7],
    ["1us", 1000],
  ];
  for (const [text, nanos] of cases) assertEquals(parseDuration(text), nanos);
  assertThrows(() => parseDuration("abc"), Error, 'time: invalid duration "abc"');
  assertThrows(() => parseDuration("1constructor"), Error, 'unknown unit "constructor"');
  assertThrows(() => parseDuration("3000000h"), Error, 'time: invalid duration "3000000h"');
  assertThrows(() => parseDuration("1"), Error, 'time: missing unit in duration "1"');
  assertThrows(() => parseDuration("1x"), Error, 'time: unknown unit "x" in duration "1x"');
});

Deno.test("formatHumanDuration() rounds as docker does", () => {
  const cases: [number, string][] = [
    [0.5, "Less than a second"],
    [1.9, "1 second"],
    [59, "59 seconds"],
    [61, "About a minute"],
    [150, "2 minutes"],
    [3600, "About an hour"],
    [86400, "24 hours"],
    [86400 * 3, "3 days"],
    [86400 * 20, "2 weeks"],
    [86400 * 90, "3 months"],
    [86400 * 800, "2 years"],
  ];
  for (const [seconds, text] of cases) assertEquals(formatHumanDuration(seconds), text);
});

Deno.test("parseTimestamp() takes dates, seconds and durations", () => {
  assertEquals(parseTimestamp("1.5", 0), 1_500_000_000n);
  assertEquals(parseTimestamp("10s", 20_000), 10_000_000_000n);
  assertEquals(parseTimestamp("2006-01-02T00:00:00.25Z", 0), 1136160000_250000000n);
  assertEquals(parseTimestamp("2006-01-02T01:00:00+01:00", 0), 1136160000_000000000n);
  assertThrows(() => parseTimestamp("abc", 0), Error, "failed to parse value as time or duration");
});
