/**
 * `--squash`: the layers of a build as one.
 *
 * @module
 */
import type { PackedStep } from "./layers.ts";
import { baseOf, BuildLayer } from "./layers.ts";
import type { BuildSession } from "./session.ts";
import { useLowers } from "./sources.ts";
import type { StageState } from "./state.ts";
import { timeOf } from "./step.ts";
import { ensureThere } from "./step_perform.ts";

/** Puts one layer in the place of all that were made on top of the image below. */
export async function squash(session: BuildSession, state: StageState): Promise<StageState> {
  const below = state.layers.slice(0, state.inherited);
  if (state.layers.length - below.length < 2) return state;
  const { helper } = await session.open();
  await ensureThere(session, state.layers);
  const directory = `.tmp-b${crypto.randomUUID().slice(0, 8)}`;
  const into = `${baseOf(session.place)}/${directory}`;
  const { sourceDateEpoch: epoch } = session.request;
  const createdAt = timeOf(session);
  const layer = BuildLayer.made(session.place, directory, {
    below,
    createdAt,
    pack: async (lowers) => {
      using stack = new DisposableStack();
      const result = await helper.do({
        kind: "squash",
        squash: {
          overlay: session.overlay,
          ...useLowers(session, state.layers, stack),
          lowers,
          into,
          scratch: session.newDirectory(),
          root: session.paths.root,
          ...epoch !== undefined && { epoch },
        },
      });
      return (result ?? undefined) as PackedStep | undefined;
    },
  });
  try {
    if (await layer.stored === undefined) session.discard(into);
  } catch (error) {
    session.discard(into);
    throw error;
  }
  const history = state.history.map((line) =>
    line.kind === "step" ? { ...line, layer: undefined } : line
  );
  return {
    ...state,
    layers: [...below, layer],
    history: [...history, { kind: "step", createdBy: "", layer, createdAt }],
  };
}
