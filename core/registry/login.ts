/**
 * Logging in: asking a registry whether it takes some credentials.
 *
 * @module
 */
import { openTransport, type RegistryOptions } from "./client.ts";
import type { Credentials } from "./credentials.ts";
import { RegistryError, statusText } from "./errors.ts";

/**
 * Tries credentials out.
 *
 * @param domain `docker.io`, `localhost:5000`.
 * @returns What to keep: a refresh token if the registry gives one, else the credentials.
 * @throws {DhowError} `unauthorized` if it does not take them, in docker's words.
 */
export async function login(
  domain: string,
  credentials: Credentials,
  options: Omit<RegistryOptions, "credentials"> = {},
): Promise<Credentials> {
  using transport = await openTransport(domain, {
    ...options,
    credentials: () => Promise.resolve(credentials),
    offline: true,
  });
  const all = Array.from({ length: 400 }, (_, i) => 200 + i).filter((status) => status < 500);
  const response = await transport.send({ method: "GET", path: "/v2/", accept: all });
  await response.body?.cancel();
  if (response.status !== 200) {
    const { status } = response;
    throw new RegistryError(
      "unauthorized",
      `login attempt to ${transport.base}v2/ failed with status: ${status} ${statusText(status)}`
        .trim(),
      { status },
    );
  }
  const token = transport.refreshToken;
  return token === undefined ? credentials : { kind: "identity_token", token };
}
