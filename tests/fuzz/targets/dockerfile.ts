/**
 * Dockerfiles: parsed, checked, expanded.
 *
 * @module
 */
import { DockerfileError } from "../../../core/build/dockerfile/error.ts";
import { expandInstruction } from "../../../core/build/dockerfile/expand.ts";
import { lintDockerfile } from "../../../core/build/dockerfile/lint.ts";
import { parseDockerfile, parseInstruction } from "../../../core/build/dockerfile/parse.ts";
import { DhowError } from "../../../core/errors.ts";
import { type FuzzTarget, type Input, insist, textOf } from "../target.ts";

const corpus = new URL("../../dockerfiles/", import.meta.url);

/** The parser, the checks, and the expansion of instructions. */
export const dockerfile: FuzzTarget = {
  name: "dockerfile",
  seeds: readCorpus,
  maxBytes: 1 << 16,
  dictionary: [
    ...["FROM ", "RUN ", "COPY ", "ADD ", "ENV ", "ARG ", "LABEL ", "CMD ", "ENTRYPOINT "],
    ...["EXPOSE ", "VOLUME ", "USER ", "WORKDIR ", "SHELL ", "ONBUILD ", "STOPSIGNAL "],
    ...["HEALTHCHECK ", "MAINTAINER ", " AS ", "--mount=type=cache,target=/x", "--from=", "--"],
    ...["<<EOF", "<<-EOF", "EOF\n", "<<'E'", "\n", "\\\n", "\r\n", "`", "# escape=`\n", "#", "\t"],
    ...["${", "}", "$A", ":-", "##", "%", "//", '"', "'", "[", "]", ",", '["a"]', "=", " ", "\0"],
    ...["\ufeff", "\u00a0", "é", "--interval=1s", "65535", "0-65535", "check=skip=all", "!"],
  ],
  run(input) {
    const text = textOf(input);
    try {
      const { dockerfile, warnings } = parseDockerfile(text);
      insist(dockerfile.stages.length > 0, "a Dockerfile has stages");
      const count = dockerfile.lines.length;
      for (const stage of dockerfile.stages) {
        insist(stage.base !== "", "a stage has a base");
        let last = stage.range.end;
        for (const instruction of stage.instructions) {
          const { start, end } = instruction.range;
          insist(last < start && start <= end && end <= count, "instructions follow one another");
          last = end;
          expandOrRefuse(() =>
            expandInstruction(instruction, (name) => VALUES.get(name), dockerfile.directives)
          );
          if (instruction.kind === "onbuild") {
            expandOrRefuse(() => parseInstruction(instruction.trigger, dockerfile.directives));
          }
        }
      }
      lintDockerfile(dockerfile, { warnings, allStages: true, ignore: ["a", "b/*"] });
    } catch (error) {
      // `check=` may be malformed, too.
      if (!(error instanceof DockerfileError)) throw error;
      // deno-lint-ignore no-control-regex
      insist(!/[\0-\x09\x0b-\x1f]/.test(error.message), "messages have no control characters");
      const start = error.range?.start ?? 1;
      insist(start >= 1 && start <= text.split("\n").length, "an error is in the file");
    }
  },
};

const VALUES = new Map([["A", "a value"], ["PATH", "/bin:/usr/bin"], ["EMPTY", ""]]);

/** Errors without a place are plain ones; what JavaScript itself throws is not. */
function expandOrRefuse(expand: () => unknown): void {
  try {
    expand();
  } catch (error) {
    const isOurs = error instanceof DhowError ||
      (error instanceof Error && error.constructor.name === "FormError") ||
      Object.getPrototypeOf(error) === Error.prototype;
    if (!isOurs) throw error;
  }
}

function readCorpus(): Input[] {
  const seeds: Input[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(corpus)) {
    if (isDirectory) seeds.push(Deno.readFileSync(new URL(`${name}/context/Dockerfile`, corpus)));
  }
  const text = Deno.readTextFileSync(new URL("malformed.json", corpus));
  for (const [malformed] of JSON.parse(text)) seeds.push(new TextEncoder().encode(malformed));
  // The order of a directory is the file system's own.
  return seeds.filter(({ length }) => length < 4096).sort((a, b) => compare(a, b));
}

function compare(a: Input, b: Input): number {
  const [x, y] = [textOf(a), textOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
