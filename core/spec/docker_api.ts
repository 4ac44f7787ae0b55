/**
 * Wire types of the Docker Engine API (1.51), as published: what `docker inspect`, `ps` and `create` speak.
 *
 * @see https://docs.docker.com/reference/api/engine/
 * @module
 */
export type * from "./docker_config.ts";
export type * from "./docker_container.ts";
export type * from "./docker_image.ts";
export type * from "./docker_network.ts";
export type * from "./docker_stats.ts";
export type * from "./docker_system.ts";
export type * from "./docker_volume.ts";
