import { assertEquals, assertThrows } from "@std/assert";
import { FlagError } from "./errors.ts";
import { closest, flagName, type FlagTable, parseFlags } from "./flags.ts";

const table = {
  tty: { type: "bool", short: "t", help: "" },
  interactive: { type: "bool", short: "i", help: "" },
  rm: { type: "bool", help: "" },
  sigProxy: { type: "bool", default: true, help: "" },
  env: { type: "list", short: "e", help: "" },
  publish: { type: "list", short: "p", help: "" },
  name: { type: "string", help: "" },
  memory: { type: "string", short: "m", help: "" },
  network: { type: "string", help: "", aliases: ["net"] },
  last: { type: "int", short: "n", default: -1, help: "" },
  sysctl: { type: "map", help: "" },
} as const satisfies FlagTable;

function parse(line: string, interspersed = true) {
  return parseFlags(table, line.split(" "), { interspersed });
}

Deno.test("parseFlags() takes flags in all of pflag's spellings", () => {
  const { flags, args } = parse("-it -e A=b --env=C -p80:80 -n=3 --rm=false x --name y --net none");
  assertEquals([flags.interactive, flags.tty, flags.rm, flags.sigProxy], [true, true, false, true]);
  assertEquals(flags.env, ["A=b", "C"]);
  assertEquals([flags.publish, flags.last, flags.name, flags.network], [["80:80"], 3, "y", "none"]);
  assertEquals(args, ["x"]);
});

Deno.test("parseFlags() stops at the first argument when not interspersed, and at --", () => {
  assertEquals(parse("-t image -i --rm", false).args, ["image", "-i", "--rm"]);
  assertEquals(parse("-t -- -i").args, ["-i"]);
  assertEquals(parse("-").args, ["-"]);
});

Deno.test("parseFlags() tells what was given from what is default", () => {
  assertEquals([...parse("--sysctl a=b --sysctl c -t").given], ["sysctl", "tty"]);
  assertEquals(parse("--sysctl a=b --sysctl c").flags.sysctl, { a: "b", c: "" });
});

Deno.test("parseFlags() complains in docker's words", () => {
  const cases: [string, string][] = [
    ["--foo", "unknown flag: --foo"],
    ["--sigProxy", "unknown flag: --sigProxy"],
    ["-xyz", "unknown shorthand flag: 'x' in -xyz"],
    ["--name", "flag needs an argument: --name"],
    ["-m", "flag needs an argument: 'm' in -m"],
    [
      "-it=foo",
      'invalid argument "foo" for "-t, --tty" flag: strconv.ParseBool: parsing "foo": invalid syntax',
    ],
    [
      "-n x",
      'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    ["--=x", "bad flag syntax: --=x"],
  ];
  for (const [line, message] of cases) assertThrows(() => parse(line), FlagError, message);
});

Deno.test("parseFlags() stops at --help, and at -h where no flag has that letter", () => {
  assertEquals(parse("--help --foo").help, true);
  assertEquals(parse("-h").help, true);
});

Deno.test("flagName() and closest()", () => {
  assertEquals(flagName("cpuRtPeriod"), "cpu-rt-period");
  assertEquals(closest("rnu", ["run", "rm"]), "run");
  assertEquals(closest("zzzzzz", ["run", "rm"]), undefined);
});
