import { assertEquals } from "@std/assert";
import type { HealthResult } from "../spec/docker_api.ts";
import {
  applyProbeResult,
  cutProbeOutput,
  healthProbe,
  initialHealth,
  probesQuickly,
  probeTimeoutOutput,
} from "./health.ts";

const result = (ExitCode: number): HealthResult => ({ Start: "", End: "", ExitCode, Output: "" });
const S = 1e9;

Deno.test("healthProbe() fills in docker's defaults", () => {
  assertEquals(healthProbe({ Test: ["CMD-SHELL", "curl x"] }), {
    command: ["/bin/sh", "-c", "curl x"],
    timeoutMs: 30_000,
    intervalMs: 30_000,
    startPeriodMs: 0,
    startIntervalMs: 5_000,
    retries: 3,
  });
  const check = { Test: ["CMD", "a", "b"], Interval: S / 2, Timeout: 2 * S, Retries: 1 };
  const probe = healthProbe(check)!;
  assertEquals([probe.command, probe.intervalMs, probe.timeoutMs, probe.retries], [
    ["a", "b"],
    500,
    2000,
    1,
  ]);
  for (const Test of [undefined, [], ["NONE"], ["CMD"]]) {
    assertEquals(healthProbe(Test && { Test }), undefined);
  }
});

Deno.test("applyProbeResult() turns unhealthy after the retries and recovers at once", () => {
  const options = { probe: healthProbe({ Test: ["CMD", "a"], Retries: 2 })!, sinceStartMs: 1 };
  let health = initialHealth();
  const statuses = [1, 1, 1, 0, 1, 1].map((code) => {
    health = applyProbeResult(health, result(code), options);
    return `${health.Status} ${health.FailingStreak}`;
  });
  assertEquals(statuses, [
    "starting 1",
    "unhealthy 2",
    "unhealthy 3",
    "healthy 0",
    "healthy 1",
    "unhealthy 2",
  ]);
  assertEquals(health.Log.length, 5);
});

Deno.test("the start period forgives failures and quickens probes until the first success", () => {
  const check = { Test: ["CMD", "a"], Retries: 1, StartPeriod: 10 * S, StartInterval: S };
  const probe = healthProbe(check)!;
  let health = initialHealth();
  assertEquals(probesQuickly(health, probe, 0), true);
  health = applyProbeResult(health, result(1), { probe, sinceStartMs: 9_999 });
  assertEquals([health.Status, health.FailingStreak], ["starting", 0]);
  assertEquals(probesQuickly(health, probe, 10_000), false);
  const late = applyProbeResult(health, result(1), { probe, sinceStartMs: 10_000 });
  assertEquals(late.Status, "unhealthy");
  health = applyProbeResult(health, result(0), { probe, sinceStartMs: 5_000 });
  assertEquals(probesQuickly(health, probe, 5_000), false);
  health = applyProbeResult(health, result(1), { probe, sinceStartMs: 6_000 });
  assertEquals(health.Status, "unhealthy");
});

Deno.test("cutProbeOutput() keeps 4096 bytes", () => {
  assertEquals(cutProbeOutput(new TextEncoder().encode("hi\n")), "hi\n");
  assertEquals(cutProbeOutput(new Uint8Array(5000).fill(65)), "A".repeat(4096) + "...");
});

Deno.test("probeTimeoutOutput() speaks docker's words", () => {
  const probe = { ...healthProbe({ Test: ["CMD", "a"] })!, timeoutMs: 90_000 };
  assertEquals(probeTimeoutOutput(probe, ""), "Health check exceeded timeout (1m30s)");
  assertEquals(
    probeTimeoutOutput({ ...probe, timeoutMs: 1500 }, "x"),
    "Health check exceeded timeout (1.5s): x",
  );
});
