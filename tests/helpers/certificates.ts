/**
 * An authority of the test's own, and certificates of it: for the registry, and for a client.
 *
 * @module
 */

/** Makes `ca.crt`, `server.crt`, `server.key`, `client.crt` and `client.key` in `directory`, by openssl. */
export async function makeCertificates(directory: string): Promise<void> {
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    directory,
    ["req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt"],
    ["-subj", "/CN=dhow test authority", "-days", "2"],
  );
  await Deno.writeTextFile(
    `${directory}/names`,
    "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n",
  );
  for (const name of ["server", "client"]) {
    await openssl(
      directory,
      ["req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`],
      ["-subj", `/CN=${name}`],
    );
    await openssl(
      directory,
      ["x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, "-days", "2"],
      ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"],
    );
  }
}

async function openssl(directory: string, ...args: string[][]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", {
    args: args.flat(),
    cwd: directory,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`openssl failed: ${new TextDecoder().decode(stderr)}`);
}
