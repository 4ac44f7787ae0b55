/**
 * What a stage has come to: its files, its config, its history.
 *
 * @module
 */
import type { History } from "../spec/image.ts";
import type { CacheEntry } from "./cache.ts";
import type { ConfigBuilder } from "./image_config.ts";
import type { BuildLayer } from "./layers.ts";

/** A line of the history to be. */
export type HistoryLine =
  /** Of the image below, as it is. */
  | { kind: "inherited"; history: History }
  | { kind: "config"; createdBy: string }
  | { kind: "step"; createdBy: string; layer: BuildLayer | undefined; createdAt: string };

/** A step that was done or found. */
export interface TakenStep {
  key: string | Promise<string>;
  name: string;
  type: CacheEntry["type"];
  createdAt: string;
  layer: BuildLayer | undefined;
}

/** A stage at one point. */
export interface StageState {
  /** Lowest first. */
  layers: BuildLayer[];
  config: ConfigBuilder;
  history: HistoryLine[];
  /** The steps that were taken, for the cache of others. */
  steps: TakenStep[];
  /** How many of its layers are those of the image below. */
  inherited: number;
  /** Some of its layers were made by this build: nothing in the cache can stand on them. */
  isFresh: boolean;
}
