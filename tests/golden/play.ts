/**
 * Plays scenarios against docker or dhow, and takes out of the answers what may differ.
 *
 * @module
 */
import type { Scenario } from "./scenarios/scenario.ts";

/** One line's answer. */
export interface Answer {
  line: string;
  stdout: string;
  stderr: string;
  code: number;
}

/** Answers by scenario. */
export type Answers = Record<string, Answer[]>;

/** Against what to play. */
export interface PlayOptions {
  /** Definition of a shell function's body: `exec docker "$@"`. */
  docker: string;
  /** An empty directory, current for all lines of one scenario. */
  directory: string;
  env?: Record<string, string>;
}

/** Plays one scenario; every container is removed before it. */
export async function play(scenario: Scenario, options: PlayOptions): Promise<Answer[]> {
  await runLine('ids=$(docker ps -aq); [ -z "$ids" ] || docker rm -fv $ids', options);
  const answers: Answer[] = [];
  for (const line of scenario.lines) answers.push(await runLine(line, options));
  return answers;
}

async function runLine(line: string, options: PlayOptions): Promise<Answer> {
  const script = `docker() { ${options.docker} "$@"; }\n${line}`;
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", script],
    cwd: options.directory,
    stdin: "null",
    clearEnv: true,
    env: { PATH: Deno.env.get("PATH")!, LC_ALL: "C", TZ: "UTC", ...options.env },
  }).output();
  const clean = (bytes: Uint8Array) =>
    normalize(new TextDecoder().decode(bytes), options.directory);
  const answer = { line, stdout: clean(stdout), stderr: clean(stderr), code };
  // Docker says on stdout, into the stream of the command that is not there, that it cannot be executed.
  if (line.startsWith("docker exec") && (code === 126 || code === 127)) {
    answer.stderr = (answer.stdout + answer.stderr).trimEnd() + "\n";
    answer.stdout = "";
  }
  return answer;
}

/**
 * Removes what differs between two runs of the same program (ids, times, directories), and between docker and dhow on
 * purpose: the name, the daemon, and the layers of wrapping that a daemon, a shim and a runtime put around an error.
 */
export function normalize(text: string, directory: string): string {
  return text.replaceAll(directory, "DIR")
    .replaceAll("\r\n", "\n")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "ID64")
    .replaceAll(/\b[0-9a-f]{12}\b/g, "ID12")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, "TIME")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \w+/g, "TIME")
    .replaceAll(/(Less than a second|About an? \w+|\d+ (second|minute|hour)s?)/g, "A WHILE")
    .replaceAll(/\b\d+(\.\d+)?(kB|MB)\b/g, "SIZE")
    // Docker says null or false depending on whether the container has ever been started.
    .replaceAll('"OomKillDisable":false', '"OomKillDisable":null')
    .replaceAll("docker", "dhow")
    .replaceAll("Error response from daemon: ", "")
    .replaceAll(
      /failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: (error during container init: )?/g,
      "",
    )
    .replaceAll(
      /OCI runtime exec failed: exec failed: (unable to start container process: )?/g,
      "",
    )
    // The client's own log, when the daemon hangs up on it.
    .replaceAll(/^time="TIME" level=error .*\n/gm, "")
    // Docker knows the file from its own look at the image; dhow tells what execve(2) said.
    .replaceAll("is a directory: permission denied", "permission denied")
    .replaceAll("SRun 'dhow", "Run 'dhow")
    // Columns are as wide as what was replaced above.
    .replaceAll(/ {2,}/g, "  ");
}
