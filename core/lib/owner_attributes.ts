/**
 * The extended attributes that say whose a file is, where the user namespace has but one id. Values are decimal numbers.
 *
 * @module
 */

/** Of a file or directory itself; of what can have none, at its directory, with `.NAME` behind. */
export const OWNER_ATTRIBUTES = { uid: "user.dhow.uid", gid: "user.dhow.gid" } as const;
