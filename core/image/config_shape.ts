/**
 * What an image's config must look like: checked when an image comes from elsewhere, so that whoever reads it later can
 * take it for what its type says.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { assertShape, type Shape } from "../lib/shape.ts";
import type { ImageConfig } from "../spec/image.ts";

const CONFIG: Shape = {
  created: "text",
  author: "text",
  architecture: "text",
  os: "text",
  variant: "text",
  comment: "text",
  docker_version: "text",
  config: {
    User: "text",
    ExposedPorts: { "*": "anything" },
    Env: ["text"],
    Entrypoint: ["text"],
    Cmd: ["text"],
    Volumes: { "*": "anything" },
    WorkingDir: "text",
    Labels: { "*": "text" },
    StopSignal: "text",
    StopTimeout: "number",
    Healthcheck: {
      Test: ["text"],
      Interval: "number",
      Timeout: "number",
      StartPeriod: "number",
      StartInterval: "number",
      Retries: "number",
    },
    Shell: ["text"],
    OnBuild: ["text"],
  },
  rootfs: { diff_ids: ["text"] },
  history: [{
    created: "text",
    created_by: "text",
    author: "text",
    comment: "text",
    empty_layer: "boolean",
  }],
};

/**
 * Checks a config as it came.
 *
 * @param action What cannot be done with it: `Cannot pull busybox`.
 * @throws {DhowError} `invalid_archive`.
 */
export function assertImageConfig(value: unknown, action: string): asserts value is ImageConfig {
  try {
    assertShape(value, CONFIG, "its config");
  } catch (cause) {
    throw new DhowError("invalid_archive", `${action}: ${(cause as Error).message}`, { cause });
  }
}
