import { assertEquals, assertThrows } from "@std/assert";
import { assertLimits, groupSettings, hasLimits, type Limits } from "./limits.ts";

const NO_LIMITS: Parameters<typeof assertLimits>[0] = {
  BlkioDeviceReadBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceWriteIOps: [],
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuShares: 0,
  CpusetCpus: "",
  CpusetMems: "",
  Memory: 0,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  NanoCpus: 0,
  OomKillDisable: null,
  PidsLimit: null,
};

function files(limits: Partial<Limits>): Record<string, string> {
  const settings = groupSettings(
    { ...NO_LIMITS, ...limits },
    (path) => `8:${path.length}`,
  );
  return Object.fromEntries(settings.map(({ file, value }) => [file, value]));
}

Deno.test("groupSettings() says what docker's limits mean", () => {
  const mib = 1024 * 1024;
  assertEquals(files({}), {});
  assertEquals(hasLimits(NO_LIMITS), false);
  assertEquals(files({ Memory: 64 * mib }), {
    "memory.max": "67108864",
    "memory.swap.max": "67108864",
  });
  assertEquals(files({ Memory: 64 * mib, MemorySwap: 64 * mib })["memory.swap.max"], "0");
  assertEquals(files({ Memory: 64 * mib, MemorySwap: -1 })["memory.swap.max"], "max");
  assertEquals(files({ MemoryReservation: 32 * mib }), { "memory.low": "33554432" });
  assertEquals(files({ NanoCpus: 0.5e9 }), { "cpu.max": "50000 100000" });
  assertEquals(files({ CpuQuota: 20000, CpuPeriod: 50000 }), { "cpu.max": "20000 50000" });
  assertEquals(files({ CpuPeriod: 50000 }), { "cpu.max": "max 50000" });
  assertEquals(files({ CpuShares: 1024 }), { "cpu.weight": "39" });
  assertEquals(files({ CpuShares: 2 }), { "cpu.weight": "1" });
  assertEquals(files({ CpuShares: 262144 }), { "cpu.weight": "10000" });
  assertEquals(files({ CpusetCpus: "0-1", CpusetMems: "0" }), {
    "cpuset.cpus": "0-1",
    "cpuset.mems": "0",
  });
  assertEquals(files({ PidsLimit: 30 }), { "pids.max": "30" });
  assertEquals(files({ PidsLimit: -1 }), { "pids.max": "max" });
  assertEquals(files({ BlkioWeight: 500 }), { "io.weight": "default 4950" });
  assertEquals(files({ BlkioDeviceReadBps: [{ Path: "/dev/sda", Rate: 1000 }] }), {
    "io.max": "8:8 rbps=1000",
  });
});

Deno.test("assertLimits() refuses what docker refuses", () => {
  const cases: [Parameters<typeof assertLimits>[0], string][] = [
    [{ ...NO_LIMITS, Memory: 1 }, "Minimum memory limit allowed is 6MB"],
    [{ ...NO_LIMITS, MemorySwap: 1e9 }, "You should always set the Memory limit"],
    [{ ...NO_LIMITS, Memory: 1e9, MemorySwap: 1e8 }, "should be larger than memory"],
    [{ ...NO_LIMITS, Memory: 1e8, MemoryReservation: 1e9 }, "less than memory reserv"],
    [{ ...NO_LIMITS, MemorySwappiness: 101 }, "valid memory swappiness range is 0-100"],
    [{ ...NO_LIMITS, OomKillDisable: true }, "cgroup v2 always ends a process"],
    [{ ...NO_LIMITS, NanoCpus: 3e9 }, "range of CPUs is from 0.01 to 2.00, as there"],
    [{ ...NO_LIMITS, NanoCpus: 1e9, CpuQuota: 5000 }, "Nano CPUs and CPU Quota cannot"],
    [{ ...NO_LIMITS, CpuPeriod: 10 }, "CPU cfs period can not be less than 1ms"],
    [{ ...NO_LIMITS, CpuQuota: 10 }, "CPU cfs quota can not be less than 1ms"],
    [{ ...NO_LIMITS, CpusetCpus: "x" }, "Invalid value x for cpuset cpus"],
    [{ ...NO_LIMITS, CpusetCpus: "0-2" }, "requested 0-2, available: 0-1"],
    [{ ...NO_LIMITS, BlkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
  ];
  for (const [limits, message] of cases) {
    assertThrows(() => assertLimits(limits, 2), Error, message);
  }
  assertLimits({ ...NO_LIMITS, Memory: 7e6, NanoCpus: 2e9, CpusetCpus: "0,1" }, 2);
});
