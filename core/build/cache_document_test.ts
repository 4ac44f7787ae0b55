import { assertEquals, assertThrows } from "@std/assert";
import { DhowError } from "../errors.ts";
import { readCacheDocument } from "./cache_document.ts";

const digest = `sha256:${"ab".repeat(32)}`;
const step = {
  key: "ab".repeat(32),
  createdAt: "2024-01-01T00:00:00Z",
  name: "RUN x",
  type: "regular",
  layer: { diffId: digest, descriptor: { mediaType: "a", digest, size: 1 } },
};

Deno.test("readCacheDocument() takes whole steps and nothing else", () => {
  const read = (steps: unknown) => readCacheDocument({ version: 1, steps });
  assertEquals<unknown>(read([step]).steps, [step]);
  const { descriptor } = step.layer;
  const layers: unknown[] = [null, 1, {}, { ...step.layer, diffId: [digest] }];
  for (const wrong of [[digest], { toString: 1 }, null]) {
    layers.push({ ...step.layer, descriptor: { ...descriptor, digest: wrong } });
  }
  for (const layer of layers) assertThrows(() => read([{ ...step, layer }]), DhowError, "steps");
  for (const steps of [null, {}, [null]]) assertThrows(() => read(steps), DhowError);
});
