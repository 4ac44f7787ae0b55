/**
 * Words with variables, quotes and patterns.
 *
 * @module
 */
import { expandWord, expandWords } from "../../../core/build/dockerfile/expand.ts";
import { findHeredocMarks } from "../../../core/build/dockerfile/heredoc.ts";
import { parseMount } from "../../../core/build/dockerfile/mount.ts";
import { shellWords } from "../../../core/build/dockerfile/shell_word.ts";
import { toWord } from "../../../core/script/dockerfile_text.ts";
import { type FuzzTarget, inputsOf, insist, textOf } from "../target.ts";

const VALUES = new Map([
  ["A", "aval"],
  ["EMPTY", ""],
  ["LONG", "ab".repeat(2000)],
  ["LINES", "one\ntwo\n"],
  ["F", "dir/archive.tar.gz"],
]);
const lookup = (name: string) => VALUES.get(name);

/** The shell's words and patterns, heredocs' names, options of mounts. */
export const expansion: FuzzTarget = {
  name: "expansion",
  seeds: () =>
    inputsOf(
      "$A ${A} ${EMPTY:-x} ${NONE:+y} ${A:?z} 'q' \"$A\" \\$A",
      "${F#*/} ${F##*.} ${F%.*} ${F%%.*} ${F/r/R} ${F//a*r/X}",
      "${LONG//ab/c} ${LONG##*b*b} ${LONG%%a*a*a}",
      "${NONE:-${EMPTY:-${A}}} ${LINES#*\\?}",
      "<<EOF cat <<-'X Y' 3<<\"Z\"",
      'type=cache,target=/x,"id=a,b",sharing=locked,mode=0700,uid=1',
    ),
  dictionary: [
    ...["${", "}", "$A", "$LONG", "$F", "${LONG", "${NONE", ":-", ":+", ":?", "#", "##", "%", "%%"],
    ...["/", "//", "*", "?", "\\", "\\*", "\\}", "'", '"', " ", "\n", "<<", "<<-", "$", "ab", "*a"],
    ...["type=", "target=", ",", "=", "secret", "ro", "required", "size=1g", "é", "\u2003"],
  ],
  run(input) {
    const text = textOf(input);
    const literal = text.replace(/[$\r\n]/g, "");
    insist(expandWord(toWord(literal), lookup) === literal, "a script's value is itself");
    const plain = attempt(() => expandWord(text, lookup));
    const words = attempt(() => expandWords(text, lookup));
    insist((plain === undefined) === (words === undefined), "both ways fail alike");
    // Nothing grows but by replacing: each character by a value at most, per level.
    insist((plain?.length ?? 0) <= 4096 * 4096, "expansion stays in bounds");
    for (const word of words ?? []) insist(word !== "", "no word is empty");
    attempt(() => shellWords(text, lookup, { ignoreQuotes: true, escape: "`" }));
    attempt(() => findHeredocMarks(text));
    attempt(() => parseMount(text, (value) => expandWord(value, lookup)));
  },
};

/** Undefined if it was refused. What JavaScript itself throws is passed on. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw error;
    return undefined;
  }
}
