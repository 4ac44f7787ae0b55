/**
 * BuildKit's checks: their names, what they say, where one reads more.
 *
 * @see https://docs.docker.com/reference/build-checks/
 * @module
 */
import type { BuildWarning, SourceRange } from "./ast.ts";

/** One check. */
export interface Rule<A extends readonly string[]> {
  readonly name: string;
  /** Whether it must be asked for by `experimental=NAME`. */
  readonly isExperimental: boolean;
  warning(range: SourceRange, ...parameters: A): BuildWarning;
}

/** Is told what is found, where, and under which options. */
export type Report = <A extends readonly string[]>(
  rule: Rule<A>,
  place: { range: SourceRange; comments?: readonly string[] },
  ...parameters: A
) => void;

function rule<A extends readonly string[]>(
  name: string,
  description: string,
  message: (...parameters: A) => string,
  isExperimental = false,
): Rule<A> {
  const slug = name.replace(/^JSON/, "Json").replace(/(?!^)[A-Z]/g, "-$&").toLowerCase();
  const url = `https://docs.docker.com/go/dockerfile/rule/${slug}/`;
  return {
    name,
    isExperimental,
    warning: (range, ...parameters) => ({
      rule: name,
      description,
      url,
      message: message(...parameters),
      range,
    }),
  };
}

const quote = JSON.stringify;

function hint(name: string): string {
  return name === "" ? "" : ` (did you mean ${name}?)`;
}

/** All checks that need no image to be looked at. */
export const RULES = {
  StageNameCasing: rule(
    "StageNameCasing",
    "Stage names should be lowercase",
    (name: string) => `Stage name '${name}' should be lowercase`,
  ),
  FromAsCasing: rule(
    "FromAsCasing",
    "The 'as' keyword should match the case of the 'from' keyword",
    (from: string, as: string) => `'${as}' and '${from}' keywords' casing do not match`,
  ),
  NoEmptyContinuation: rule(
    "NoEmptyContinuation",
    "Empty continuation lines will become errors in a future release",
    () => "Empty continuation line",
  ),
  ConsistentInstructionCasing: rule(
    "ConsistentInstructionCasing",
    "All commands within the Dockerfile should use the same casing (either upper or lower)",
    (keyword: string, casing: string) =>
      `Command '${keyword}' should match the case of the command majority (${casing})`,
  ),
  DuplicateStageName: rule(
    "DuplicateStageName",
    "Stage names should be unique",
    (name: string) => `Duplicate stage name ${quote(name)}, stage names should be unique`,
  ),
  ReservedStageName: rule(
    "ReservedStageName",
    "Reserved words should not be used as stage names",
    (name: string) => `Stage name should not use the same name as reserved stage ${quote(name)}`,
  ),
  JSONArgsRecommended: rule(
    "JSONArgsRecommended",
    "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    (keyword: string) =>
      `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`,
  ),
  MaintainerDeprecated: rule(
    "MaintainerDeprecated",
    "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
    () => "Maintainer instruction is deprecated in favor of using label",
  ),
  UndefinedArgInFrom: rule(
    "UndefinedArgInFrom",
    "FROM command must use declared ARGs",
    (name: string, meant: string) => `FROM argument '${name}' is not declared${hint(meant)}`,
  ),
  WorkdirRelativePath: rule(
    "WorkdirRelativePath",
    "Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes",
    (path: string) =>
      `Relative workdir ${quote(path)} can have unexpected results if the base image changes`,
  ),
  UndefinedVar: rule(
    "UndefinedVar",
    "Variables should be defined before their use",
    (name: string, meant: string) =>
      `Usage of undefined variable '$${name}'${hint(meant && `$${meant}`)}`,
  ),
  MultipleInstructionsDisallowed: rule(
    "MultipleInstructionsDisallowed",
    "Multiple instructions of the same type should not be used in the same stage",
    (keyword: string) =>
      `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`,
  ),
  LegacyKeyValueFormat: rule(
    "LegacyKeyValueFormat",
    "Legacy key/value format with whitespace separator should not be used",
    (keyword: string) =>
      `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`,
  ),
  RedundantTargetPlatform: rule(
    "RedundantTargetPlatform",
    "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    (platform: string) =>
      `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`,
  ),
  SecretsUsedInArgOrEnv: rule(
    "SecretsUsedInArgOrEnv",
    "Sensitive data should not be used in the ARG or ENV commands",
    (keyword: string, name: string) =>
      `Do not use ARG or ENV instructions for sensitive data (${keyword} ${quote(name)})`,
  ),
  InvalidDefaultArgInFrom: rule(
    "InvalidDefaultArgInFrom",
    "Default value for global ARG results in an empty or invalid base image name",
    (base: string) => `Default value for ARG ${base} results in empty or invalid base image name`,
  ),
  FromPlatformFlagConstDisallowed: rule(
    "FromPlatformFlagConstDisallowed",
    "FROM --platform flag should not use a constant value",
    (platform: string) => `FROM --platform flag should not use constant value ${quote(platform)}`,
  ),
  CopyIgnoredFile: rule(
    "CopyIgnoredFile",
    "Attempting to Copy file that is excluded by .dockerignore",
    (keyword: string, path: string) =>
      `Attempting to ${keyword} file ${quote(path)} that is excluded by .dockerignore`,
  ),
  InvalidDefinitionDescription: rule(
    "InvalidDefinitionDescription",
    "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.",
    (keyword: string, name: string) =>
      `Comment for ${keyword} should follow the format: \`# ${name} <description>\``,
    true,
  ),
  ExposeProtoCasing: rule(
    "ExposeProtoCasing",
    "Protocol in EXPOSE instruction should be lowercase",
    (port: string) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  ),
  ExposeInvalidFormat: rule(
    "ExposeInvalidFormat",
    "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release",
    (port: string) =>
      `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
  ),
} as const;
