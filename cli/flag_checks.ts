/**
 * Checks of flag values, each in docker's words; a check may return a canonical spelling.
 *
 * @module
 */
import type { Ulimit } from "../core/spec/docker_api.ts";

/** `--env`: a name, maybe with a value. */
export function checkEnv(text: string): void {
  if (text === "" || text.startsWith("=")) throw new Error(`invalid environment variable: ${text}`);
}

/** `--label`. */
export function checkLabel(text: string): void {
  if (text.startsWith("=") || text === "") throw new Error(`invalid label '${text}': empty name`);
}

/** `--attach`. */
export function checkAttach(text: string): string {
  const stream = text.toLowerCase();
  if (stream === "stdin" || stream === "stdout" || stream === "stderr") return stream;
  throw new Error("valid streams are STDIN, STDOUT and STDERR");
}

/** `--add-host`: `host:ip`, `host=ip`, `host:host-gateway`. */
export function checkAddHost(text: string): string {
  const at = text.includes("=") ? text.indexOf("=") : text.indexOf(":");
  const host = text.slice(0, at);
  let ip = text.slice(at + 1);
  if (at <= 0) throw new Error(`bad format for add-host: ${JSON.stringify(text)}`);
  if (/^\[.*\]$/.test(ip)) ip = ip.slice(1, -1);
  if (ip !== "host-gateway" && !isIp(ip)) {
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(ip)}`);
  }
  return `${host}:${ip}`;
}

/** `--dns`. */
export function checkIp(text: string): string {
  const ip = text.trim();
  if (!isIp(ip)) throw new Error(`IP address is not correctly formatted: ${text}`);
  return ip;
}

/** `--dns-search`: `.` stands for none. */
export function checkDnsSearch(text: string): void {
  if (text.trim() === ".") return;
  const domain =
    /^(:?(:?[a-zA-Z0-9]|(:?[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))(:?\.(:?[a-zA-Z0-9]|(:?[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])))*)\.?\s*$/;
  if (!/[a-zA-Z]/.test(text) || !domain.test(text)) {
    throw new Error(`${text} is not a valid domain`);
  }
}

/** `--link`. */
export function checkLink(text: string): void {
  if (text === "") throw new Error("empty string specified for links");
  if (text.split(":").length > 2) throw new Error(`bad format for links: ${text}`);
}

/** `--sysctl`: what runc lets a container set. */
export function checkSysctl(text: string): void {
  const allowed =
    /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|net\..*|fs\.mqueue\..*)$/;
  const name = text.slice(0, text.indexOf("="));
  if (!text.includes("=") || !allowed.test(name)) {
    throw new Error(`sysctl '${text}' is not allowed`);
  }
}

/** `--filter`: `name=value`. */
export function checkFilter(text: string): string | void {
  if (text === "") return;
  const equals = text.indexOf("=");
  if (equals < 0) throw new Error("bad format of filter (expected name=value)");
  return text.slice(0, equals).trim().toLowerCase() + "=" + text.slice(equals + 1).trim();
}

const ULIMITS =
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack"
    .split(" ");

/** Parses `--ulimit NAME=SOFT[:HARD]`. */
export function parseUlimit(text: string): Ulimit {
  const match = /^([^=]*)=(.*)$/s.exec(text);
  if (match === null) throw new Error(`invalid ulimit argument: ${text}`);
  const [, name, limits] = match as unknown as [string, string, string];
  if (!ULIMITS.includes(name)) throw new Error(`invalid ulimit type: ${name}`);
  const parts = limits.split(":");
  if (parts.length > 2) {
    throw new Error(
      `too many limit value arguments - ${limits}, can only have up to two, \`soft[:hard]\``,
    );
  }
  const [soft, hard = soft] = parts.map(parseLimit) as [number, number?];
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new Error(
      soft === -1
        ? `ulimit soft limit must be less than or equal to hard limit: hard limit not set to -1`
        : `ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`,
    );
  }
  return { Name: name, Hard: hard, Soft: soft };
}

function parseLimit(text: string): number {
  if (/^-?\d+$/.test(text)) return Number(text);
  throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** `--cpus`: a rational number. */
export function checkDecimal(text: string): void {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(\/\d+)?$/.test(text)) {
    throw new Error(`failed to parse ${text} as a rational number`);
  }
}

/** Whether `text` is an IPv4 or IPv6 address. */
export function isIp(text: string): boolean {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    return text.split(".").every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  }
  if (!/^[\da-fA-F:.]+$/.test(text) || !text.includes(":")) return false;
  try {
    new URL(`http://[${text}]/`);
    return true;
  } catch {
    return false;
  }
}
