/**
 * Whose files are that `--chown` and `--chmod` speak of.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

/** Owner and group, as numbers. */
export interface Owner {
  uid: number;
  gid: number;
}

/**
 * Looks up `USER[:GROUP]` in a root's passwd and group files. As in BuildKit a user's number without a group is the
 * group's number too. A name that nobody has is an error, where BuildKit takes root.
 *
 * @param readFile Text of a file of the root.
 * @throws {DhowError} `invalid_argument`.
 */
export function resolveOwner(
  text: string,
  readFile: (path: string) => string | undefined,
): Owner {
  const [user = "", group = ""] = text.split(":", 2);
  const owner = { uid: 0, gid: 0 };
  if (isId(user)) owner.uid = owner.gid = Number(user);
  else if (user !== "") {
    const entry = findEntry(readFile("/etc/passwd"), user) ?? unknown("user", user, "passwd");
    owner.uid = Number(entry[2]) || 0;
    owner.gid = Number(entry[3]) || 0;
  }
  if (isId(group)) owner.gid = Number(group);
  else if (group !== "") {
    const entry = findEntry(readFile("/etc/group"), group) ?? unknown("group", group, "group");
    owner.gid = Number(entry[2]) || 0;
  }
  return owner;
}

function unknown(what: "user" | "group", name: string, file: "passwd" | "group"): never {
  throw new DhowError(
    "invalid_argument",
    `unable to find ${what} ${name}: no matching entries in ${file} file`,
  );
}

function isId(text: string): boolean {
  return /^\d+$/.test(text);
}

function findEntry(text = "", name: string): string[] | undefined {
  return text.split("\n").map((line) => line.split(":")).find(([first]) => first === name);
}

/**
 * Makes sure that this user namespace has the owner's ids.
 *
 * @throws {DhowError} `unsupported`.
 */
export function assertMapped({ uid, gid }: Owner): void {
  if (isMapped("uid_map", uid) && isMapped("gid_map", gid)) return;
  throw new DhowError(
    "unsupported",
    `Cannot make files belong to ${uid}:${gid}: this is outside the ids mapped for you; see /etc/subuid and /etc/subgid`,
  );
}

function isMapped(file: "uid_map" | "gid_map", id: number): boolean {
  const ranges = Deno.readTextFileSync(`/proc/self/${file}`).trim().split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number, number]);
  // One id stands for all: what becomes of owners then is decided below us.
  if (ranges.length === 1 && ranges[0]![2] === 1) return true;
  return ranges.some(([first, , count]) => id >= first && id < first + count);
}

/** A change of permissions. @returns The 12 permission bits that an inode gets. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const WHO: Readonly<Record<string, number>> = { u: 0o700, g: 0o070, o: 0o007, a: 0o777 };
const SPECIAL: Readonly<Record<string, number>> = { u: 0o4000, g: 0o2000, o: 0, a: 0o6000 };

/**
 * Reads a mode: octal, or symbolic as chmod(1) takes it: `u=rwX,go-w`.
 *
 * @throws {DhowError} `invalid_argument`.
 */
export function parseMode(text: string): ModeChange {
  if (/^0?[0-7]{1,4}$/.test(text)) return () => parseInt(text, 8);
  const clauses = text.split(",").map((clause) => {
    const match = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause);
    if (match === null) {
      throw new DhowError(
        "invalid_argument",
        `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
      );
    }
    return { who: match[1] || "a", actions: match[2]!.match(/[-+=][rwxXstugo]*/g)! };
  });
  return (mode, isDirectory) =>
    clauses.reduce(
      (result, { who, actions }) =>
        actions.reduce((bits, action) => applyAction(bits, who, action, isDirectory), result),
      mode,
    );
}

function applyAction(mode: number, who: string, action: string, isDirectory: boolean): number {
  const classes = new Set(who.includes("a") ? "ugo" : who);
  let mask = 0, special = 0;
  for (const one of classes) {
    mask |= WHO[one]!;
    special |= SPECIAL[one]!;
  }
  let bits = 0;
  for (const letter of action.slice(1)) {
    if (letter === "r") bits |= 0o444 & mask;
    else if (letter === "w") bits |= 0o222 & mask;
    else if (letter === "x") bits |= 0o111 & mask;
    else if (letter === "X") bits |= isDirectory || (mode & 0o111) !== 0 ? 0o111 & mask : 0;
    else if (letter === "s") bits |= special;
    else if (letter === "t") bits |= 0o1000;
    else bits |= spread(mode, letter) & mask;
  }
  if (action[0] === "+") return mode | bits;
  if (action[0] === "-") return mode & ~bits;
  return mode & ~(mask | special) | bits;
}

/** What one class may do, as what all may do. */
function spread(mode: number, letter: string): number {
  const shift = letter === "u" ? 6 : letter === "g" ? 3 : 0;
  const bits = mode >> shift & 7;
  return bits << 6 | bits << 3 | bits;
}
