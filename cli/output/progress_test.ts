import { assertEquals } from "@std/assert";
import type { LayerProgress } from "../../core/spec/progress.ts";
import { formatLayer, showProgress } from "./progress.ts";
import { Output } from "./stream.ts";

const half: LayerProgress = {
  kind: "layer",
  id: "0123456789ab",
  status: "Downloading",
  currentBytes: 15_190_000,
  totalBytes: 30_380_000,
};

/** What is written to a terminal, or to something else. */
function recorder(isTerminal: boolean): { out: Output; text(): string } {
  let text = "";
  const out = new Output({
    writeSync: (bytes) => {
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
    isTerminal: () => isTerminal,
  });
  return { out, text: () => text };
}

Deno.test("formatLayer() draws docker's bar, and a shorter one where there is less room", () => {
  assertEquals(
    formatLayer(half, 130),
    "0123456789ab: Downloading [=========================>                         ]  15.19MB/30.38MB",
  );
  assertEquals(
    formatLayer(half, 60),
    "0123456789ab: Downloading [======>       ]  15.19MB/30.38MB",
  );
  assertEquals(formatLayer(half, 50), "0123456789ab: Downloading  15.19MB/30.38MB");
  assertEquals(formatLayer(half, 20), "0123456789ab: Downl");
  const { totalBytes: _, ...endless } = half;
  assertEquals(formatLayer(endless, 80), "0123456789ab: Downloading 15.19MB");
});

Deno.test("showProgress() redraws a layer's line where it stands", () => {
  const { out, text } = recorder(true);
  const show = showProgress(out, () => ({ columns: 80, rows: 24 }));
  show({ kind: "message", id: "latest", text: "Pulling from a" });
  show({ kind: "layer", id: "a", status: "Pulling fs layer" });
  show({ kind: "layer", id: "b", status: "Pulling fs layer" });
  show({ kind: "layer", id: "a", status: "Pull complete" });
  show({ kind: "message", text: "Digest: x" });
  assertEquals(
    text(),
    "latest: Pulling from a\n\x1b[2Ka: Pulling fs layer\r\n\x1b[2Kb: Pulling fs layer\r\n" +
      "\x1b[2A\x1b[2K\ra: Pull complete\r\x1b[2BDigest: x\n",
  );
});

Deno.test("showProgress() leaves alone what has left the screen", () => {
  const { out, text } = recorder(true);
  const show = showProgress(out, () => ({ columns: 80, rows: 2 }));
  for (const id of ["a", "b", "c"]) show({ kind: "layer", id, status: "Waiting" });
  const before = text();
  show({ kind: "layer", id: "b", status: "Pull complete" });
  assertEquals(text(), before);
  show({ kind: "layer", id: "c", status: "Pull complete" });
  assertEquals(text(), before + "\x1b[1A\x1b[2K\rc: Pull complete\r\x1b[1B");
});

Deno.test("showProgress() prints steps and no bars where nobody watches", () => {
  const { out, text } = recorder(false);
  const show = showProgress(out);
  show({ kind: "layer", id: "a", status: "Pulling fs layer" });
  show(half);
  show({ kind: "message", text: "Digest: x" });
  assertEquals(text(), "a: Pulling fs layer\nDigest: x\n");
});
