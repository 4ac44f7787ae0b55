/**
 * How dhow calls itself: the exit hook, the unpacker, health probes. The same words work from the command line, from
 * mod.ts in somebody's program, and in the compiled binary.
 *
 * @module
 */

/**
 * What Deno needs to be told to run dhow without asking or fetching anything; the launcher says the same. With
 * `--no-lazy` functions are compiled with their module, and so come from the code cache the next time.
 */
const DENO_FLAGS = ["run", "-A", "--no-config", "--no-lock", "--quiet"];
/** Room for what is short-lived: where there is a lot of it, the collector takes time; where there is little, memory. */
const V8_FLAGS = {
  fast: "--v8-flags=--no-lazy,--min-semi-space-size=16",
  small: "--v8-flags=--no-lazy,--max-semi-space-size=1",
} as const;

/** Variables that a call of our own may need; nothing else of the caller's environment goes along. */
const KEPT = [
  "HOME",
  "USER",
  "PATH",
  "TMPDIR",
  "LANG",
  "DENO_DIR",
  "XDG_RUNTIME_DIR",
  "XDG_DATA_HOME",
  "XDG_CONFIG_HOME",
  "XDG_CACHE_HOME",
  "DBUS_SESSION_BUS_ADDRESS",
  "DHOW_ROOT",
];

/**
 * The argument vector that runs `dhow VERB ARGS`, program first.
 *
 * @param verb A hidden verb of cli/hidden/: `__hook`.
 * @param memory `small` for what runs long, or in many threads.
 */
export function selfCommand(
  verb: string,
  args: readonly string[],
  memory: keyof typeof V8_FLAGS = "fast",
): string[] {
  if (Deno.build.standalone) return [Deno.execPath(), verb, ...args];
  const main = decodeURIComponent(new URL("../../cli/main.ts", import.meta.url).pathname);
  return [Deno.execPath(), ...DENO_FLAGS, V8_FLAGS[memory], main, verb, ...args];
}

/** The environment for it, as `NAME=value`. */
export function selfEnvironment(): string[] {
  const env = ["DENO_NO_UPDATE_CHECK=1"];
  for (const name of KEPT) {
    const value = Deno.env.get(name);
    if (value !== undefined) env.push(`${name}=${value}`);
  }
  return env;
}
