import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { assertRestartPolicy, type EndedRun, restartDelay } from "./restart_policy.ts";

const ended: EndedRun = {
  exitCode: 1,
  stopRequested: false,
  durationMs: 5,
  restartCount: 0,
  previousDelayMs: 0,
};
const always = { Name: "always", MaximumRetryCount: 0 };

Deno.test("restartDelay() doubles from 100 ms to a minute", () => {
  const delays = [];
  for (let previousDelayMs = 0, i = 0; i < 12; i++) {
    previousDelayMs = restartDelay(always, { ...ended, previousDelayMs })!;
    delays.push(previousDelayMs);
  }
  const expected = [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000];
  assertEquals(delays, expected);
});

Deno.test("restartDelay() starts anew after a good run", () => {
  const run = { ...ended, durationMs: 10_000, previousDelayMs: 51_200 };
  assertEquals(restartDelay(always, run), 100);
});

Deno.test("restartDelay() heeds policy, exit code, count and will", () => {
  const onFailure = { Name: "on-failure", MaximumRetryCount: 2 };
  assertEquals(restartDelay({ Name: "no", MaximumRetryCount: 0 }, ended), undefined);
  assertEquals(restartDelay(onFailure, { ...ended, exitCode: 0 }), undefined);
  assertEquals(restartDelay(onFailure, { ...ended, restartCount: 1 }), 100);
  assertEquals(restartDelay(onFailure, { ...ended, restartCount: 2 }), undefined);
  assertEquals(restartDelay({ ...onFailure, MaximumRetryCount: 0 }, ended), 100);
  assertEquals(restartDelay({ ...always, Name: "unless-stopped" }, ended), 100);
  assertEquals(restartDelay(always, { ...ended, stopRequested: true }), undefined);
});

Deno.test("assertRestartPolicy() refuses in docker's words", () => {
  const cases: [string, number, string][] = [
    ["foo", 0, "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always'"],
    ["no", 3, "maximum retry count can only be used with 'on-failure'"],
    ["always", 3, "maximum retry count can only be used with 'on-failure'"],
    ["on-failure", -1, "invalid restart policy: maximum retry count cannot be negative"],
  ];
  for (const [Name, MaximumRetryCount, message] of cases) {
    assertThrows(() => assertRestartPolicy({ Name, MaximumRetryCount }), DhowError, message);
  }
  for (const Name of ["", "no", "always", "on-failure", "unless-stopped"]) {
    assertRestartPolicy({ Name, MaximumRetryCount: 0 });
  }
});
