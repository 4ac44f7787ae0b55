/**
 * A real sshd on a high port of this machine, with keys, users and configuration of its own.
 *
 * @module
 */

/** Where sshd(8) is; it must be called by its whole path. */
const SSHD = "/usr/sbin/sshd";

/** Whether it is installed. */
export function hasSshd(): boolean {
  try {
    return Deno.statSync(SSHD).isFile;
  } catch {
    return false;
  }
}

/** A running server; disposing ends it. */
export class SshServer implements AsyncDisposable {
  readonly port: number;
  /** A program that stands for ssh(1) and knows the keys. */
  readonly ssh: string;
  readonly #child: Deno.ChildProcess;

  private constructor(parts: { port: number; ssh: string; child: Deno.ChildProcess }) {
    this.port = parts.port;
    this.ssh = parts.ssh;
    this.#child = parts.child;
  }

  /** Starts one. @param directory Empty, this user's own; others may look into it. */
  static async start(directory: string): Promise<SshServer> {
    for (const name of ["host", "user"]) {
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${directory}/${name}`]);
    }
    const port = freePort();
    await Deno.copyFile(`${directory}/user.pub`, `${directory}/authorized`);
    await Deno.chmod(`${directory}/authorized`, 0o644);
    await Deno.writeTextFile(
      `${directory}/sshd_config`,
      [
        `Port ${port}`,
        "ListenAddress 127.0.0.1",
        `HostKey ${directory}/host`,
        `AuthorizedKeysFile ${directory}/authorized`,
        "PasswordAuthentication no",
        "StrictModes no",
        "UsePAM no",
        `PidFile ${directory}/pid`,
      ].join("\n"),
    );
    if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true });
    const child = new Deno.Command(SSHD, {
      args: ["-D", "-e", "-f", `${directory}/sshd_config`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const ssh = `${directory}/ssh`;
    await Deno.writeTextFile(
      ssh,
      `#!/bin/sh\nexec ssh -F /dev/null -i ${directory}/user -o IdentitiesOnly=yes -o BatchMode=yes ` +
        `-o LogLevel=ERROR -o UserKnownHostsFile=${directory}/known -o StrictHostKeyChecking=accept-new "$@"\n`,
      { mode: 0o755 },
    );
    await waitForPort(port);
    return new SshServer({ port, ssh, child });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.status;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function waitForPort(port: number): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function run(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}
