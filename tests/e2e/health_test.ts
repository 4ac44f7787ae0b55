// Health checks through the command line.
import { assertEquals, assertMatch } from "@std/assert";
import { containerTest } from "../helpers/sandbox.ts";

containerTest("a health check turns healthy, then unhealthy, and says so", async (box) => {
  const check = ["--health-cmd", "echo probed; test ! -e /sick", "--health-interval", "200ms"];
  await box.runs(
    "-d",
    "--name",
    "hh",
    ...check,
    "--health-retries",
    "2",
    "busybox",
    "sleep",
    "100",
  );
  assertMatch(await box.ok("ps", "--format", "{{.Status}}"), /\((health: starting|healthy)\)$/);
  await box.until("hh", "{{.State.Health.Status}}", "healthy");
  assertMatch(
    await box.ok("ps", "--filter", "health=healthy", "--format", "{{.Status}}"),
    /\(healthy\)$/,
  );
  assertEquals(await box.inspect("hh", "{{(index .State.Health.Log 0).Output}}"), "probed");
  await box.ok("exec", "hh", "touch", "/sick");
  await box.until("hh", "{{.State.Health.Status}}", "unhealthy");
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const events = await box.ok(
    "events",
    "--since",
    "0",
    "--until",
    until,
    "--filter",
    "event=health_status",
    "--format",
    "{{.Action}}",
  );
  assertEquals(events.split("\n"), ["health_status: healthy", "health_status: unhealthy"]);
});

containerTest(
  "a health check that takes too long is killed; within the start period it does not count",
  async (box) => {
    const check = [
      "--health-cmd",
      "sleep 30",
      "--health-interval",
      "100ms",
      "--health-timeout",
      "200ms",
    ];
    await box.runs(
      "-d",
      "--name",
      "slow",
      ...check,
      "--health-retries",
      "1",
      "busybox",
      "sleep",
      "100",
    );
    await box.until("slow", "{{.State.Health.Status}}", "unhealthy");
    assertMatch(
      await box.inspect("slow", "{{json .State.Health.Log}}"),
      /"ExitCode":-1,"Output":"Health check exceeded timeout \(200ms\)"/,
    );
    const period = [
      "--health-cmd",
      "false",
      "--health-start-period",
      "1m",
      "--health-start-interval",
      "100ms",
    ];
    await box.runs(
      "-d",
      "--name",
      "young",
      ...period,
      "--health-retries",
      "1",
      "busybox",
      "sleep",
      "100",
    );
    await box.until("young", "{{len .State.Health.Log}}", "3");
    assertEquals(
      await box.inspect("young", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}"),
      "starting 0",
    );
  },
);
