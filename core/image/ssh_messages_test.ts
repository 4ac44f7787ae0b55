import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { streamOf } from "../../tests/helpers/tar.ts";
import { DhowError } from "../errors.ts";
import { FrameChannel } from "./ssh_frames.ts";
import { checkHello, checkOffer } from "./ssh_messages.ts";

/** What the other side says, instead of data. */
async function answer(text: string): Promise<string> {
  const payload = new TextEncoder().encode(text);
  const frame = Uint8Array.from([0x4a, 0, 0, 0, payload.length, ...payload]);
  const channel = new FrameChannel({ readable: streamOf(frame), writable: new WritableStream() });
  return (await assertRejects(() => channel.receiveData(), DhowError)).message;
}

Deno.test("FrameChannel passes on what the other side says, if it is a text", async () => {
  assertEquals(
    await answer('{"error":{"message":"no \\u001b[2Jspace"}}'),
    "The other side says: no space",
  );
  const silent = "The other side says: it does not say why";
  for (const error of ["null", "1", "{}", '{"message":{"toString":1}}']) {
    assertEquals(await answer(`{"error":${error}}`), silent);
  }
  for (const text of ["null", "1", "{}", "{"]) {
    assertEquals((await answer(text)).includes("a frame of another kind"), true);
  }
});

Deno.test("checkHello() and checkOffer() refuse what is of the wrong kind", () => {
  for (
    const hello of [{ dhow: { toString: 1 } }, { dhow: 1, names: "a" }, { dhow: 1, platform: 1 }]
  ) {
    assertThrows(() => checkHello(hello as never), DhowError);
  }
  for (const images of [undefined, {}, [null], [{ layers: [null], references: [] }]]) {
    assertThrows(() => checkOffer({ images } as never), DhowError, "wrong");
  }
});
