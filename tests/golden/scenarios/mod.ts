/**
 * Command lines that docker and dhow answer alike. `docker` stands for either; each scenario begins without containers.
 *
 * @module
 */
import { builds } from "./build.ts";
import { calls } from "./calls.ts";
import { containers } from "./containers.ts";
import { images } from "./images.ts";
import { isolation } from "./isolation.ts";
import { networks } from "./networks.ts";
import { ports } from "./ports.ts";
import { running } from "./running.ts";
import { volumes } from "./volumes.ts";
import type { Scenario } from "./scenario.ts";

/** What is compared. The image `busybox` is there; `CMD ["sh"]` is all its config says. */
export const scenarios: readonly Scenario[] = [
  ...calls,
  ...running,
  ...containers,
  ...images,
  ...isolation,
  ...networks,
  ...ports,
  ...volumes,
  ...builds,
];

/** Lines that dhow answers otherwise, and why. They are played, since later lines lean on them, but not compared. */
export const differences: Readonly<Record<string, string>> = {};
