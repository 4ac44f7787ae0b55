/**
 * Signals by name and number.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

/** Signal numbers by name; real-time ones are `RTMIN+n` and `RTMAX-n`. */
const SIGNALS: readonly string[] =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
    .split(" ");
const RTMIN = 34, RTMAX = 64;

/**
 * `SIGTERM`, `term`, `15`, `RTMIN+3` to the number.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, "");
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= RTMAX) return number;
  }
  const index = SIGNALS.indexOf(name);
  if (index >= 0) return index + 1;
  if (name === "IOT") return 6;
  if (name === "CLD") return 17;
  if (name === "POLL") return 29;
  const realTime = name.match(/^RTM(IN|AX)(?:([+-])(\d+))?$/);
  if (realTime !== null) {
    const base = realTime[1] === "IN" ? RTMIN : RTMAX;
    const number = base + Number(realTime[3] ?? 0) * (realTime[2] === "-" ? -1 : 1);
    if (number >= RTMIN && number <= RTMAX) return number;
  }
  throw new DhowError("invalid_argument", `invalid signal: ${text}`);
}
