/**
 * Builds: what they make, and what they say of what cannot be built.
 *
 * How far a build is and how long it takes goes to stderr and is never the same twice: only its end is compared.
 *
 * @module
 */
import type { Scenario } from "./scenario.ts";

/** The end of a build that fails: the step, the source, the error. */
const END = "2>&1 | sed -n '/^------/,$p' | sed 's/^[0-9.]* //'";
/** The same without a step. */
const SOURCE = "2>&1 | sed -n '/:[0-9]*$/,$p'";

const DOCKERFILE =
  'FROM busybox\\nARG WHO=nobody\\nCOPY a.txt /a.txt\\nRUN echo $WHO > /who\\nENV A="b c"\\n' +
  'EXPOSE 80\\nWORKDIR /srv\\nCMD ["cat", "/who"]\\n';

/** Builds. */
export const builds: readonly Scenario[] = [
  {
    name: "what a build makes",
    lines: [
      `printf '${DOCKERFILE}' > Dockerfile; echo hi > a.txt; docker build -q -t made . | wc -c`,
      "docker run --rm made; docker run --rm made cat /a.txt",
      "docker inspect -f '{{json .Config.Env}} {{json .Config.Cmd}} {{.Config.WorkingDir}}' made",
      "docker build -q --build-arg WHO=me --label a=b -t made . | wc -l; docker run --rm made",
      "docker history --format '{{.CreatedBy}}|{{.Comment}}' made",
      "WHO=you docker build -q --build-arg WHO -t made . | wc -l; docker run --rm made",
      "docker build -q --iidfile id -t made .; cat id",
      "printf 'FROM busybox\\nRUN echo alone > /x\\n' | docker build -q -t alone -; docker run --rm alone cat /x",
      "tar -c Dockerfile a.txt | docker build -q -t made -; docker run --rm made cat /a.txt",
      "printf 'FROM busybox\\nCOPY . /x/\\n' | docker build -q -t made -f - .; docker run --rm made ls /x",
      "printf '*\\n!a.*\\n' > .dockerignore; printf 'FROM busybox\\nCOPY . /x/\\n' | docker build -q -t made -f - .; docker run --rm made ls -A /x",
      "docker build -q -o out .; cat out/a.txt out/who",
      "docker build -q --target nothing . 2>&1 | tail -n 1",
    ],
  },
  {
    name: "what builds say of what is wrong",
    lines: [
      "docker build nowhere",
      "docker build -f nowhere . 2>&1 | tail -n 1",
      "docker build -t UPPER .",
      "docker build -f - - </dev/null",
      "docker build --secret src=x .",
      "docker build --secret id=x,src=/nowhere .",
      "docker build --secret foo=bar .",
      "docker build --secret type=foo,id=x .",
      "docker build --build-arg =x .",
      "docker build --build-context x .",
      "docker build --label =x .",
      "docker build --add-host x .",
      "docker build --allow x .",
      "docker build --push .",
      "docker build --progress x .",
      "docker build --output type=local .",
      "docker build --ssh default=/nowhere .; true",
      `printf 'FROM busybox\\nRUN echo one\\nRUN echo two; exit 3\\nCMD ["x"]\\n' > Dockerfile; docker build . ${END}`,
      `printf 'FROM busybox\\nRUNN x\\n' > Dockerfile; docker build . ${SOURCE}`,
      `printf 'FROM busybox\\nCOPY --form=x a b\\n' > Dockerfile; docker build . ${SOURCE}`,
      `printf 'FROM busybox\\nUSER nobody\\nENV A\\n' > Dockerfile; docker build . ${SOURCE}`,
      `printf 'RUN true\\n' > Dockerfile; docker build . ${SOURCE}`,
      "printf '' | docker build -f - . 2>&1 | tail -n 1",
    ],
  },
  {
    name: "builds that are only looked at",
    lines: [
      "printf 'FROM busybox as x\\nWORKDIR rel\\nCMD echo hi\\n' > Dockerfile; docker build --check . 2> /dev/null",
      "printf 'FROM busybox AS x\\n' > Dockerfile; docker build --check . 2> /dev/null",
      "printf '# V the version\\nARG V=1\\nFROM busybox AS x\\nARG V\\nRUN --mount=type=secret,id=s,required true\\nFROM x AS y\\n# W says what\\nARG W=2\\n' > Dockerfile; docker build --call outline . 2> /dev/null",
      "docker build --call outline --target x --build-arg V=3 . 2> /dev/null",
      "docker build --call targets . 2> /dev/null",
      "docker build --call targets,format=json . 2> /dev/null | head -n 12",
    ],
  },
];
