/**
 * Flags of `build` that hold fields: `--secret id=a,src=b`, `--ssh default=PATH`, `--cache-from type=local,src=DIR`.
 *
 * @module
 */
import { DhowError } from "../../core/errors.ts";
import type { BuildSecret, BuildSsh, CacheTarget } from "../../core/build/request.ts";
import { splitCsv } from "../../core/lib/csv.ts";
import { ExitError } from "../errors.ts";

/** As BuildKit: what is larger is no secret. */
const SECRET_MAX_BYTES = 500 * 1024;

/** An error in how `build` was called, in docker's words. */
export function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}

/** A flag that cannot be understood: docker says it before it thinks of building. */
export function misused(message: string): ExitError {
  return new ExitError(1, `ERROR: ${message}`);
}

/** `key=value` fields in order; a field without a value is an error in docker's words. */
export function parseFields(text: string): [key: string, value: string][] {
  return splitCsv(text).map((field) => {
    const equals = field.indexOf("=");
    if (equals < 0) throw misused(`invalid value ${field}`);
    return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1)];
  });
}

/** `NAME=value`, where there has to be a name. */
export function parsePair(text: string): [key: string, value: string | undefined] {
  const equals = text.indexOf("=");
  if (equals < 0) return [text, undefined];
  if (equals === 0) throw misused(`invalid key-value pair ${JSON.stringify(text)}: empty key`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** `--secret id=ID[,type=file|env][,src=PATH][,env=NAME]`; with neither the variable ID, else the file ID. */
export function parseSecret(text: string): BuildSecret {
  const found: { id?: string; src?: string; env?: string; type?: string } = {};
  for (const [key, value] of parseFields(text)) {
    if (key === "id") found.id = value;
    else if (key === "src" || key === "source") found.src = value;
    else if (key === "env") found.env = value;
    else if (key !== "type") throw misused(`unexpected key '${key}' in '${key}=${value}'`);
    else if (value === "file" || value === "env") found.type = value;
    else throw misused(`unsupported secret type ${JSON.stringify(value)}`);
  }
  const { id, src } = found;
  let { env } = found;
  if (!id) throw invalid("secret missing ID");
  if (found.type === "env") env ??= src ?? id;
  if (env === undefined && src === undefined && Deno.env.has(id)) env = id;
  return env === undefined ? fileSecret(id, src ?? id) : environmentSecret(id, env);
}

function environmentSecret(id: string, name: string): BuildSecret {
  return {
    id,
    read() {
      const value = Deno.env.get(name);
      if (value !== undefined) return Promise.resolve(new TextEncoder().encode(value));
      return Promise.reject(
        new DhowError("not_found", `secret ${id}: the environment variable ${name} is not set`),
      );
    },
  };
}

function fileSecret(id: string, path: string): BuildSecret {
  let size: number;
  try {
    size = Deno.statSync(path).size;
  } catch (cause) {
    throw new DhowError("not_found", `failed to stat ${path}: stat ${path}: ${reasonOf(cause)}`, {
      cause,
    });
  }
  if (size > SECRET_MAX_BYTES) {
    throw invalid(`secret ${id}: ${path} is larger than ${SECRET_MAX_BYTES} bytes`);
  }
  return {
    id,
    async read() {
      try {
        return await Deno.readFile(path);
      } catch (cause) {
        throw new DhowError("not_found", `secret ${id}: open ${path}: ${reasonOf(cause)}`, {
          cause,
        });
      }
    },
  };
}

/** The reason a file could not be had, in the C library's words. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file or directory";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotADirectory) return "not a directory";
  return error instanceof Error ? error.message : String(error);
}

/** `--ssh ID[=SOCKET]`: an agent; keys in files are for the agent to hold. */
export function parseSsh(text: string): BuildSsh {
  const [id, path] = parsePair(text);
  const socket = path || Deno.env.get("SSH_AUTH_SOCK");
  const failed = (why: string) =>
    invalid(
      `failed to convert agent config {${id} [${path ?? ""}] false}: ` +
        `failed to convert agent config for ID: ${JSON.stringify(id)}: ${why}`,
    );
  if (!socket) {
    throw invalid(
      `failed to convert agent config {${id} [] false}: ` +
        "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set",
    );
  }
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(socket);
  } catch (error) {
    throw failed(`stat ${socket}: ${reasonOf(error)}`);
  }
  if (info.isSocket) return { id, socket };
  throw failed(
    `${socket} is no agent's socket; give the key to an agent instead: ` +
      `eval "$(ssh-agent)" && ssh-add ${socket}, then --ssh ${id}`,
  );
}

/** `--cache-from` and `--cache-to`; a word without `=` is a reference. */
export function parseCache(text: string, flag: "from" | "to"): CacheTarget {
  if (!text.includes("=")) return { type: "registry", attributes: { ref: text } };
  const { type, ...attributes } = Object.fromEntries(parseFields(text));
  if (type === undefined) throw invalid(`type required for ${text}`);
  const needed = { registry: "ref", local: flag === "from" ? "src" : "dest" }[type];
  const known = needed !== undefined || type === "inline" && flag === "to";
  if (!known) {
    throw invalid(
      `unknown cache ${flag === "from" ? "importer" : "exporter"}: ${type}; ` +
        `use "registry" or "local"${flag === "to" ? ', or "inline"' : ""}`,
    );
  }
  if (needed !== undefined && !attributes[needed]) {
    throw invalid(`cache ${text}: ${needed} is required for type=${type}`);
  }
  return { type: type as CacheTarget["type"], attributes };
}
