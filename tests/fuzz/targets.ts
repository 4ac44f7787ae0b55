/**
 * All that is fuzzed.
 *
 * @module
 */
import type { FuzzTarget } from "./target.ts";
import { compression } from "./targets/compression.ts";
import { dbus } from "./targets/dbus.ts";
import { dns } from "./targets/dns.ts";
import { dockerfile } from "./targets/dockerfile.ts";
import { dockerignore } from "./targets/dockerignore.ts";
import { documents } from "./targets/documents.ts";
import { expansion } from "./targets/expansion.ts";
import { flags } from "./targets/flags.ts";
import { glob } from "./targets/glob.ts";
import { load } from "./targets/load.ts";
import { netlink } from "./targets/netlink.ts";
import { records } from "./targets/records.ts";
import { reference } from "./targets/reference.ts";
import { registry } from "./targets/registry.ts";
import { ssh } from "./targets/ssh.ts";
import { tar } from "./targets/tar.ts";
import { template } from "./targets/template.ts";
import { unpack } from "./targets/unpack.ts";
import { values } from "./targets/values.ts";

/** By name. */
export const targets: Readonly<Record<string, FuzzTarget>> = {
  compression,
  dbus,
  dns,
  dockerfile,
  dockerignore,
  documents,
  expansion,
  flags,
  glob,
  load,
  netlink,
  records,
  reference,
  registry,
  ssh,
  tar,
  template,
  unpack,
  values,
};
