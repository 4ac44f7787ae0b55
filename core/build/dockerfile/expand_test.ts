import { assertEquals, assertThrows } from "@std/assert";
import { expandWord, expandWords } from "./expand.ts";
import { shellWords } from "./shell_word.ts";

const VALUES: Readonly<Record<string, string>> = {
  A: "aval",
  EMPTY: "",
  PATH: "/usr/local/bin:/usr/bin:/bin",
  FILE: "archive.tar.gz",
  TWO: "two words",
  "é": "accent",
  1: "one",
  12: "twelve",
};
const lookup = (name: string) => VALUES[name];

/** Word on the left, what it becomes on the right. */
function assertExpands(cases: Readonly<Record<string, string>>): void {
  for (const [word, expected] of Object.entries(cases)) {
    assertEquals(expandWord(word, lookup), expected, word);
  }
}

Deno.test("expandWord() takes quotes and escapes away as a shell", () => {
  assertExpands({
    "a b": "a b",
    "'$A' \"$A\" \\$A": "$A aval $A",
    "'a\\b' \"a\\b\" a\\b": "a\\b a\\b ab",
    '"\\"\\\\\\$" "\\n"': '"\\$ \\n',
    '"it\'s" \'say "x"\'': 'it\'s say "x"',
    "a\\": "a",
    "''": "",
    "<<EOF < <": "<<EOF < <",
  });
  assertEquals(expandWord("`$A \\$A", lookup, "`"), "$A \\aval");
});

Deno.test("expandWord() finds names", () => {
  assertExpands({
    "$A-$A.x ${A}b $Ab": "aval-aval.x avalb ",
    "$ $. a$": "$ $. a$",
    "$1x ${12} $12a": "onex twelve twelvea",
    "$é": "accent",
    "$$A $@ ${?}": "A  ",
    "$NONE|${NONE}": "|",
  });
});

Deno.test("expandWord() knows all modifiers", () => {
  assertExpands({
    "${A:-x} ${NONE:-x} ${EMPTY:-x} ${EMPTY-x} ${NONE-x}": "aval x x  x",
    "${A:+x} ${NONE:+x} ${EMPTY:+x}|${EMPTY+x} ${NONE+x}": "x  |x ",
    "${A:?x} ${A?} ${EMPTY?}": "aval aval ",
    "${PATH#*/} ${PATH##*/}": "usr/local/bin:/usr/bin:/bin bin",
    "${PATH%/*} ${PATH%%/*}|": "/usr/local/bin:/usr/bin: |",
    "${FILE%.*} ${FILE%%.*} ${FILE#*.} ${FILE##*.}": "archive.tar archive tar.gz gz",
    "${FILE#?r} ${FILE#\\*} ${FILE%g?}": "chive.tar.gz archive.tar.gz archive.tar.",
    "${FILE/ar/X} ${FILE//ar/X} ${FILE//a*r/X} ${FILE/z/}":
      "Xchive.tar.gz Xchive.tX.gz X.gz archive.tar.g",
    "${PATH//\\//-}": "-usr-local-bin:-usr-bin:-bin",
    "${FILE//./\\}}": "archive}tar}gz",
  });
});

Deno.test("expandWord() nests modifiers, with quotes and escapes in them", () => {
  assertExpands({
    "${NONE:-${OTHER:-$A}}": "aval",
    "${NONE:-${A%val}}b": "ab",
    "\"${NONE:-'x y'}\" ${NONE:-a\\}b}": "x y a}b",
    "${A#${A%val}}": "val",
  });
});

Deno.test("expandWord() says what is wrong, as docker", () => {
  const cases: Readonly<Record<string, string>> = {
    "'a": "unexpected end of statement while looking for matching single-quote",
    '"a$A': "unexpected end of statement while looking for matching double-quote",
    "${A": "syntax error: missing '}'",
    "${": "syntax error: missing '}'",
    "${A:-x": "syntax error: missing '}'",
    "${A/x}": "syntax error: missing '/' in ${}",
    "${A/x/y": "syntax error: missing '}'",
    "${}": "syntax error: bad substitution",
    "${:x}": "syntax error: bad substitution",
    "${A^}": "unsupported modifier (^) in substitution",
    "${A:#x}": "unsupported modifier (:#) in substitution",
    "${NONE:?no value}": "NONE: no value",
    "${EMPTY:?}": "EMPTY: is not allowed to be empty",
    "${NONE?}": "NONE: is not allowed to be unset",
    "${A#\\a}": "invalid pattern (\\a) in substitution: invalid escape '\\a'",
  };
  for (const [word, message] of Object.entries(cases)) {
    const whole = `failed to process ${JSON.stringify(word)}: ${message}`;
    assertEquals(assertThrows(() => expandWord(word, lookup), Error).message, whole);
  }
});

Deno.test("expandWords() parts words at blanks outside quotes, those in values too", () => {
  assertEquals(expandWords(" a  'b c' $TWO \"$TWO\" x${EMPTY} $EMPTY ''", lookup), [
    ...["a", "b c", "two", "words", "two words", "x"],
  ]);
  assertEquals(expandWords("80${NONE:-81}", lookup), ["8081"]);
});

Deno.test("expansion takes no time that grows with the power of a pattern, and does not nest without end", () => {
  const value = "a".repeat(20_000);
  const started = performance.now();
  for (const pattern of ["#*a*a*a*a*a*a*a*a*b", "%%*a*a*a*a*a*a*b*", "//*a*a*b/x", "//a?a?b*/x"]) {
    assertEquals(expandWord(`\${V${pattern}}`, () => value), value);
  }
  assertEquals(expandWord("${V//a/bb}", () => value).length, 40_000);
  let long = "ab";
  const double = () => {
    while (true) long = expandWord('$V$V"$V"', () => long);
  };
  assertThrows(double, Error, "too long");
  assertThrows(() => expandWord("${V#*a}", () => long), Error, "too long");
  assertThrows(() => expandWord("${A#$V}", () => long), Error, "too long");
  const deep = "${X:-".repeat(50_000) + "}".repeat(50_000);
  assertThrows(() => expandWord(deep, lookup), Error, "nested too deeply");
  assertEquals(performance.now() - started < 3000, true);
});

Deno.test("shellWords() leaves in place what it is told to", () => {
  const options = { keepQuotes: true, keepEscapes: true, keepUnset: true };
  const source = '\'a b\' "c\\"d" \\e $NONE ${NONE:-x} ${NONE} ${NONE//a/b} $A';
  assertEquals(
    shellWords(source, lookup, options).text,
    '\'a b\' "c\\"d" \\e $NONE ${NONE:-x} ${NONE} ${NONE//a/b} aval',
  );
  assertEquals(shellWords('it\'s "$A" \\n', lookup, { ignoreQuotes: true }).text, 'it\'s "aval" n');
});
