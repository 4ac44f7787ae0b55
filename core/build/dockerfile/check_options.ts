/**
 * `# check=skip=RULE,RULE;error=true`: which checks a Dockerfile wants.
 *
 * @see https://docs.docker.com/reference/dockerfile/#check
 * @module
 */

/** Names of checks, or all of them. */
type Names = ReadonlySet<string> | "all";

/** Which checks are made, and whether what they find is an error. */
export interface CheckOptions {
  skip: Names;
  experimental: Names;
  isError: boolean;
}

/**
 * Reads what stands behind `check=`.
 *
 * @throws {Error} Docker's words.
 */
export function parseCheckOptions(text: string): CheckOptions {
  const options: CheckOptions = { skip: new Set(), experimental: new Set(), isError: false };
  for (const part of text.trim() === "" ? [] : text.trim().split(";")) {
    const match = /^([^=]*)=(.*)$/s.exec(part);
    if (match === null) throw new Error(`invalid check option ${JSON.stringify(part)}`);
    const [key, value] = [match[1]!.trim(), match[2]!.trim()];
    if (key === "skip" || key === "experimental") {
      options[key] = value === "all" ? "all" : new Set(value.split(",").map((name) => name.trim()));
    } else if (key === "error") options.isError = parseSwitch(part, value);
    else throw new Error(`invalid check option ${JSON.stringify(key)}`);
  }
  return options;
}

/** Options for an instruction: `comments` right above it may skip checks too. */
export function withComments(options: CheckOptions, comments: readonly string[]): CheckOptions {
  for (const comment of comments) {
    const value = /^check\s*=\s*(\S+)/i.exec(comment)?.[1];
    if (value === undefined) continue;
    try {
      const { skip, experimental } = parseCheckOptions(value);
      return {
        skip: join(options.skip, skip),
        experimental: join(options.experimental, experimental),
        isError: options.isError,
      };
    } catch {
      return options;
    }
  }
  return options;
}

/** Whether a check is made. */
export function isChecked(
  rule: { name: string; isExperimental: boolean },
  options: CheckOptions,
): boolean {
  return rule.isExperimental ? has(options.experimental, rule.name) : !has(options.skip, rule.name);
}

function has(names: Names, name: string): boolean {
  return names === "all" || names.has(name);
}

function join(some: Names, others: Names): Names {
  return some === "all" || others === "all" ? "all" : new Set([...some, ...others]);
}

function parseSwitch(part: string, value: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false;
  const call = `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`;
  throw new Error(`failed to parse check option ${JSON.stringify(part)}: ${call}`);
}
