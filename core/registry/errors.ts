/**
 * What registries answer when they refuse, in docker's words.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
 * @module
 */
import { DhowError, type ErrorCode } from "../errors.ts";
import { printable } from "../lib/printable.ts";

/** What a {@linkcode RegistryError} knows beside its text. */
export interface RegistryErrorInfo extends ErrorOptions {
  /** HTTP status, if there was an answer. */
  status?: number;
  /** The registry's own codes: `MANIFEST_UNKNOWN`. */
  registryCodes?: readonly string[];
  /** Whether the same request may succeed a little later. */
  isTemporary?: boolean;
  /** How long the registry asks to wait. */
  retryAfterMs?: number;
}

/** A request that a registry refused, or that did not reach it. */
export class RegistryError extends DhowError {
  readonly status: number | undefined;
  readonly registryCodes: readonly string[];
  readonly isTemporary: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, info: RegistryErrorInfo = {}) {
    super(code, message, info);
    this.status = info.status;
    this.registryCodes = info.registryCodes ?? [];
    this.isTemporary = info.isTemporary ?? false;
    this.retryAfterMs = info.retryAfterMs;
  }

  /** By what it has, for the reason that its parent does so by name. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof DhowError && "registryCodes" in value;
  }
}

/** Code and message of one error in a registry's answer. */
interface Refusal {
  code: string;
  message: string;
}

/** No registry has more to say than this. */
const MESSAGE_MAX = 1000;

/** Statuses that pass: overload, and a gateway without its server. */
const TEMPORARY = new Set([408, 425, 429, 500, 502, 503, 504]);

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_argument",
  401: "unauthorized",
  403: "unauthorized",
  404: "not_found",
  405: "unsupported",
  416: "invalid_argument",
};

/**
 * The error behind a refusing answer.
 *
 * @param response Its status and headers; the body has been read into `text`.
 */
export function refusalError(response: Response, text: string): RegistryError {
  const { status } = response;
  const refusals = readRefusals(text);
  const after = retryAfterMs(response.headers.get("retry-after"));
  const insufficient = status === 401 &&
    (response.headers.get("www-authenticate") ?? "").includes('error="insufficient_scope"');
  const info: RegistryErrorInfo = {
    status,
    registryCodes: insufficient ? ["DENIED"] : refusals.map(({ code }) => code),
    isTemporary: TEMPORARY.has(status),
    ...after !== undefined && { retryAfterMs: after },
  };
  const code = CODES[status] ?? "unavailable";
  if (insufficient) {
    return new RegistryError(code, "denied: requested access to the resource is denied", info);
  }
  if (status >= 500 || status < 400) {
    const words = `received unexpected HTTP status: ${status} ${statusText(status)}`.trim();
    return new RegistryError("unavailable", words, info);
  }
  return new RegistryError(code, describe(status, refusals, text), info);
}

function describe(status: number, refusals: readonly Refusal[], text: string): string {
  if (refusals.length === 1) return wordsOf(refusals[0]!);
  if (refusals.length > 1) return `errors:\n${refusals.map(wordsOf).join("\n")}`;
  const said = printable(text, MESSAGE_MAX).trim();
  switch (status) {
    case 401:
      return "unauthorized: authentication required";
    case 403:
      return `denied: ${said || "requested access to the resource is denied"}`;
    case 429:
      return `toomanyrequests: ${said || "too many requests"}`;
    default:
      return said === ""
        ? `received unexpected HTTP status: ${status} ${statusText(status)}`.trim()
        : `unknown: ${said}`;
  }
}

function wordsOf({ code, message }: Refusal): string {
  const name = code.toLowerCase().replaceAll("_", " ");
  return message === "" ? name : `${name}: ${message}`;
}

/** Reads `{"errors": [...]}`, and the token servers' `{"details": ...}`; anything else is no refusal. */
function readRefusals(text: string): Refusal[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof value !== "object" || value === null) return [];
  const { errors, details } = value as { errors?: unknown; details?: unknown };
  if (typeof details === "string") {
    return [{ code: "UNAUTHORIZED", message: printable(details, MESSAGE_MAX) }];
  }
  if (!Array.isArray(errors)) return [];
  const refusals: Refusal[] = [];
  for (const error of errors.slice(0, 5)) {
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
    refusals.push({
      code: typeof code === "string" && /^[A-Za-z0-9_ ]{1,50}$/.test(code) ? code : "UNKNOWN",
      message: typeof message === "string" ? printable(message, MESSAGE_MAX) : "",
    });
  }
  return refusals;
}

/** Seconds or a date, as RFC 9110 has it. */
export function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Request Entity Too Large",
  416: "Requested Range Not Satisfiable",
  418: "I'm a teapot",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** What Go calls a status; registries' own phrases are not for printing. */
export function statusText(status: number): string {
  return STATUS_TEXT[status] ?? "";
}

/**
 * A refusal as docker tells it to somebody who pulls: with the image it is about.
 *
 * @param names `repository` as docker shows it, and with the tag or digest that was asked for.
 */
export function explainRefusal(
  error: unknown,
  names: { repository: string; reference?: string },
): unknown {
  if (!(error instanceof RegistryError)) return error;
  const { repository, reference } = names;
  const has = (code: string) => error.registryCodes.includes(code);
  let prefix: string | undefined;
  if (has("DENIED") || error.status === 403) {
    prefix =
      `pull access denied for ${repository}, repository does not exist or may require 'dhow login'`;
  } else if (has("MANIFEST_UNKNOWN") && reference !== undefined) {
    prefix = `manifest for ${reference} not found`;
  } else if (has("NAME_UNKNOWN")) {
    prefix = `repository ${repository} not found`;
  }
  if (prefix === undefined) return error;
  return new RegistryError(error.code, `${prefix}: ${error.message}`, {
    cause: error,
    registryCodes: error.registryCodes,
    ...error.status !== undefined && { status: error.status },
  });
}
