/**
 * What becomes of a user's processes and runtime directory when the last session ends.
 *
 * @see man 1 loginctl, enable-linger
 * @module
 */
import { isThere } from "./stat.ts";
import { caller } from "./subid.ts";

/** The command that lets things live on. */
export const LINGER_COMMAND = "loginctl enable-linger";

/** Whether the user's things end with the last session: systemd's user manager and the runtime directory go then. */
export function endsWithSession(): boolean {
  const { uid, user } = caller();
  if (uid === 0 || !isThere("/run/systemd/system")) return false;
  return !isThere(`/var/lib/systemd/linger/${user ?? uid}`);
}
