/**
 * A build as BuildKit's own messages, one JSON object a line: for programs.
 *
 * @module
 */
import type { BuildEvent, BuildListener } from "../../../core/build/request.ts";
import { sha256Hex } from "../../../core/lib/sha256.ts";
import type { Output } from "../../output/stream.ts";

interface Vertex {
  digest: string;
  name: string;
  started: string;
  completed?: string;
  cached?: boolean;
  error?: string;
}

/** Prints each event on `out`. */
export function rawJson(out: Output): BuildListener {
  const vertexes = new Map<string, Vertex>();
  const partStarts = new Map<string, string>();
  const time = (ms: number) => new Date(ms).toISOString();
  return (event) => {
    const message = toMessage(event);
    if (message !== undefined) out.line(JSON.stringify(message));
  };

  function toMessage(event: BuildEvent): Record<string, unknown> | undefined {
    if (event.kind === "warning") {
      const { rule, message, description, url, range } = event.warning;
      return {
        warnings: [{
          level: 1,
          short: base64(`${rule}: ${message}`),
          detail: [base64(description)],
          url,
          ...range && { range: [{ start: { line: range.start }, end: { line: range.end } }] },
        }],
      };
    }
    if (event.kind === "start") {
      const digest = event.id.startsWith("sha256:") ? event.id : `sha256:${hash(event.id)}`;
      vertexes.set(event.id, { digest, name: event.name, started: time(event.timeMs) });
    }
    const vertex = vertexes.get(event.id);
    if (vertex === undefined) return undefined;
    if (event.kind === "log") {
      return {
        logs: [{
          vertex: vertex.digest,
          stream: event.stream === "stdout" ? 1 : 2,
          data: event.bytes.toBase64(),
          timestamp: time(event.timeMs),
        }],
      };
    }
    if (event.kind === "status") {
      const key = `${event.id} ${event.part}`;
      if (!partStarts.has(key)) partStarts.set(key, time(event.timeMs));
      return {
        statuses: [{
          id: event.part,
          vertex: vertex.digest,
          current: event.currentBytes ?? 0,
          ...event.totalBytes !== undefined && { total: event.totalBytes },
          timestamp: time(event.timeMs),
          started: partStarts.get(key),
          ...event.isDone && { completed: time(event.timeMs) },
        }],
      };
    }
    if (event.kind === "end") {
      vertex.completed = time(event.timeMs);
      if (event.outcome === "cached") vertex.cached = true;
      if (event.outcome === "failed") vertex.error = event.error ?? "failed";
      if (event.outcome === "canceled") vertex.error = "context canceled";
    }
    return { vertexes: [vertex] };
  }
}

function hash(text: string): string {
  return sha256Hex(new TextEncoder().encode(text));
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
