/**
 * The connection to a dhow on another machine.
 *
 * @module
 */
import { FrameChannel, PIECE_MAX } from "../../../core/image/ssh_frames.ts";
import { streamOf } from "../../helpers/tar.ts";
import { attemptAsync, type FuzzTarget, type Input, insist } from "../target.ts";

/** Frames, read as messages and as data. */
export const ssh: FuzzTarget = {
  name: "ssh",
  seeds: () => [
    frames(["J", '{"dhow":1,"names":["a"]}'], ["D", "some data"], ["D", "more"]),
    frames(["J", '{"error":{"code":"not_found","message":"No such image"}}']),
    frames(["D", "data"], ["J", '{"error":{"message":"disk full"}}']),
  ],
  dictionary: [
    ...[
      "J",
      "D",
      "\0",
      "\0\0\0\0",
      "\0\0\0\x04null",
      "J\0\0\0\x04null",
      "\0\0\0\x02[]",
      "\xff\xff\xff\xff",
    ],
    ...[
      'J\0\0\0\x0e{"error":null}',
      'J\0\0\0\x0b{"error":1}',
      '"error"',
      '"message"',
      "{}",
      "\x1b[2J",
    ],
    'J\0\0\0\x24{"error":{"message":{"toString":1}}}',
  ],
  async run(input) {
    for (const wants of ["JJJJ", "JDDD", "DDDD"]) {
      const channel = new FrameChannel({
        readable: streamOf(input, 7),
        writable: new WritableStream(),
      });
      for (const want of wants) {
        const isMessage = want === "J";
        const got = await attemptAsync<unknown>(() =>
          isMessage ? channel.receive() : channel.receiveData()
        );
        if (got === undefined) break;
        insist(typeof got === "object" && got !== null, "objects and bytes come");
        if (got instanceof Uint8Array) insist(got.length <= PIECE_MAX, "pieces are bounded");
      }
      await channel.close();
    }
    await checkRoundTrip(input);
  },
};

async function checkRoundTrip(input: Input): Promise<void> {
  const pipe = new TransformStream<Uint8Array, Uint8Array>();
  const channel = new FrameChannel(pipe);
  const sent = [channel.send({ bytes: [...input.subarray(0, 50)] }), channel.sendData(input)];
  const { bytes } = await channel.receive<{ bytes: number[] }>();
  insist(bytes.join() === input.subarray(0, 50).join(), "a message arrives as it left");
  insist((await channel.receiveData()).join() === input.join(), "data arrives as it left");
  await Promise.all(sent);
}

function frames(...list: [kind: string, text: string][]): Input {
  const encode = (text: string) => [...new TextEncoder().encode(text)];
  return Uint8Array.from(list.flatMap(([kind, text]) => {
    const bytes = encode(text);
    return [...encode(kind), 0, 0, bytes.length >> 8, bytes.length & 255, ...bytes];
  }));
}
