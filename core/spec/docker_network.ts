/**
 * Networks in the Docker Engine API.
 *
 * @module
 */
import type { EndpointSettings } from "./docker_config.ts";

/** A pool of addresses, as the API has it. */
export interface IPAMConfig {
  /** `10.1.0.0/16`. */
  Subnet?: string;
  /** Where addresses are given out from. */
  IPRange?: string;
  /** The router's address. */
  Gateway?: string;
  /** Addresses that are not given out, by their names. */
  AuxiliaryAddresses?: Record<string, string>;
}

/** How a network's addresses are managed. */
export interface IPAM {
  /** `default`. */
  Driver: string;
  /** `--ipam-opt`. */
  Options: Record<string, string> | null;
  /** The pools; null if there are none. */
  Config: IPAMConfig[] | null;
}

/** Body of `POST /networks/create`. */
export interface NetworkCreate {
  /** `--driver`; empty means `bridge`. */
  Driver?: string;
  /** `--scope`. */
  Scope?: string;
  /** `--ipv4`. */
  EnableIPv4?: boolean;
  /** `--ipv6`. */
  EnableIPv6?: boolean;
  /** `--internal`. */
  Internal?: boolean;
  /** `--attachable`. */
  Attachable?: boolean;
  /** `--ingress`. */
  Ingress?: boolean;
  /** `--config-only`. */
  ConfigOnly?: boolean;
  /** `--config-from`. */
  ConfigFrom?: { Network: string };
  /** `--subnet`, `--gateway`, `--ip-range`, `--aux-address`, `--ipam-driver`, `--ipam-opt`. */
  IPAM?: IPAM;
  /** `--opt`. */
  Options?: Record<string, string>;
  /** `--label`. */
  Labels?: Record<string, string>;
}

/** A container's place in a network, as the network's `inspect` shows it. */
export interface EndpointResource {
  /** The container's name. */
  Name: string;
  /** The id of the attachment. */
  EndpointID: string;
  /** Empty where it has none of its own. */
  MacAddress: string;
  /** With the bits of the network part; empty if it has none. */
  IPv4Address: string;
  /** With the bits of the network part; empty if it has none. */
  IPv6Address: string;
}

/** What `docker network inspect` shows. */
export interface NetworkInspect {
  /** As it was called. */
  Name: string;
  /** 64 hex digits. */
  Id: string;
  /** RFC 3339. */
  Created: string;
  /** `local`. */
  Scope: string;
  /** `bridge`, `host`, `null`. */
  Driver: string;
  /** Whether it has IPv4 addresses. */
  EnableIPv4: boolean;
  /** Whether it has IPv6 addresses. */
  EnableIPv6: boolean;
  /** Its addresses. */
  IPAM: IPAM;
  /** Without a way out. */
  Internal: boolean;
  /** Says nothing outside a swarm. */
  Attachable: boolean;
  /** Always false outside a swarm. */
  Ingress: boolean;
  /** Which network it was copied from. */
  ConfigFrom: { Network: string };
  /** Only there to be copied. */
  ConfigOnly: boolean;
  /** Running containers, by id. */
  Containers: Record<string, EndpointResource>;
  /** Options of the driver. */
  Options: Record<string, string>;
  /** Its labels. */
  Labels: Record<string, string>;
}

/** What is asked of a network for a container: of the settings those that can be asked for. */
export type EndpointConfig = Partial<EndpointSettings>;
