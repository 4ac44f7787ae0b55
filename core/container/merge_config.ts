/**
 * What a container takes over from its image where the user said nothing.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { ContainerConfig } from "../spec/docker_api.ts";
import type { Healthcheck, ImageRunConfig } from "../spec/image.ts";

/**
 * The container's settings on top of the image's, as docker keeps and shows them: variables, labels, ports and volumes
 * are joined, an entrypoint of the user's own drops the image's command.
 *
 * @throws {DhowError} `invalid_argument` if neither names a command.
 */
export function mergeConfig(config: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const merged: ContainerConfig = { ...config, ...mergeCommand(config, image) };
  merged.User = config.User || image.User || "";
  merged.WorkingDir = config.WorkingDir || image.WorkingDir || "";
  merged.Labels = { ...image.Labels, ...config.Labels };
  merged.Env = mergeEnv(config.Env, image.Env ?? []);
  const ports = { ...image.ExposedPorts, ...config.ExposedPorts };
  if (Object.keys(ports).length > 0) merged.ExposedPorts = ports;
  const volumes = { ...image.Volumes, ...config.Volumes };
  merged.Volumes = Object.keys(volumes).length > 0 ? volumes : config.Volumes;
  const stopSignal = config.StopSignal || image.StopSignal;
  if (stopSignal) merged.StopSignal = stopSignal;
  if (image.OnBuild?.length && !config.OnBuild?.length) merged.OnBuild = image.OnBuild;
  const health = mergeHealthcheck(config.Healthcheck, image.Healthcheck);
  if (health !== undefined) merged.Healthcheck = health;
  return merged;
}

function mergeCommand(
  config: ContainerConfig,
  image: ImageRunConfig,
): Pick<ContainerConfig, "Entrypoint" | "Cmd"> {
  let { Entrypoint, Cmd } = config;
  if (!Entrypoint?.length) {
    if (!Cmd?.length) Cmd = image.Cmd ?? Cmd;
    Entrypoint ??= image.Entrypoint ?? null;
  }
  // `--entrypoint ""` takes the image's away.
  if (Entrypoint?.length === 1 && Entrypoint[0] === "") Entrypoint = null;
  if (!Entrypoint?.length && !Cmd?.length) {
    throw new DhowError("invalid_argument", "no command specified");
  }
  return { Entrypoint, Cmd };
}

function mergeEnv(own: string[] | null, inherited: readonly string[]): string[] {
  const name = (variable: string) => variable.split("=", 1)[0]!;
  const taken = new Set((own ?? []).map(name));
  return [...own ?? [], ...inherited.filter((variable) => !taken.has(name(variable)))];
}

/** Each field by itself: 0 and `[]` mean inherit. */
function mergeHealthcheck(
  own: Healthcheck | undefined,
  image: Healthcheck | undefined,
): Healthcheck | undefined {
  if (own === undefined || image === undefined) return own ?? image;
  const merged: Healthcheck = { ...image };
  if (own.Test?.length) merged.Test = own.Test;
  for (const field of ["Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"] as const) {
    if (own[field]) merged[field] = own[field];
  }
  return merged;
}
