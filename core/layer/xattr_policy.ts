/**
 * Which extended attributes of a layer are put on the files it makes.
 *
 * @module
 */

/**
 * Whether an attribute belongs on an unpacked file.
 *
 * Taken are `user.*`, `security.capability` and POSIX ACLs. Left out is what speaks about the machine the layer was
 * made on, or what would speak to our kernel in a voice that a layer must not have:
 * - `user.overlay.*`, `user.fuseoverlayfs.*` and `trusted.overlay.*` steer overlays (a forged `redirect` or `opaque` changes what shows);
 * - `user.dhow.*` is our own;
 * - other `trusted.*` cannot be set in a user namespace;
 * - `security.selinux`, `security.ima`, `security.evm` and the rest of `security.*` are labels of the host's policy;
 * - other `system.*` are views of the file system's own (NFSv4 ACLs, and the like).
 */
export function isXattrKept(name: string): boolean {
  if (name.startsWith("user.")) return !/^user\.(overlay|fuseoverlayfs|dhow)\./.test(name);
  return name === "security.capability" || name === "system.posix_acl_access" ||
    name === "system.posix_acl_default";
}
