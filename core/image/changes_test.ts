import { assertEquals, assertThrows } from "@std/assert";
import { applyChanges } from "./changes.ts";

Deno.test("applyChanges() reads instructions as docker import does", () => {
  const config = applyChanges({ Env: ["A=old", "KEEP=1"] }, [
    'CMD ["sh","-c","echo hi"]',
    "ENTRYPOINT /bin/echo a",
    'ENV A=b C="d e" D=f\\ g',
    "env X y z",
    "EXPOSE 80 90/udp 100-102",
    "USER nobody",
    "VOLUME /data /b",
    'VOLUME ["/c"]',
    "WORKDIR /w",
    "WORKDIR rel/../down",
    "LABEL a=b \"c d\"='e f'",
    "ONBUILD RUN echo",
    "STOPSIGNAL SIGUSR1",
    "HEALTHCHECK --interval=5s --retries=3 CMD curl -f x",
  ]);
  assertEquals(config, {
    Env: ["A=b", "KEEP=1", "C=d e", "D=f g", "X=y z"],
    Cmd: ["sh", "-c", "echo hi"],
    Entrypoint: ["/bin/sh", "-c", "/bin/echo a"],
    ExposedPorts: { "80/tcp": {}, "90/udp": {}, "100/tcp": {}, "101/tcp": {}, "102/tcp": {} },
    User: "nobody",
    Volumes: { "/data": {}, "/b": {}, "/c": {} },
    WorkingDir: "/w/down",
    Labels: { a: "b", "c d": "e f" },
    OnBuild: ["RUN echo"],
    StopSignal: "SIGUSR1",
    Healthcheck: { Interval: 5e9, Retries: 3, Test: ["CMD-SHELL", "curl -f x"] },
  });
});

Deno.test("applyChanges() refuses in docker's words", () => {
  const refusal = (change: string) =>
    (assertThrows(() => applyChanges({}, [change])) as Error).message;
  assertEquals(refusal("FROM x"), "FROM is not a valid change command");
  assertEquals(refusal("constructor x"), "constructor is not a valid change command");
  assertEquals(
    refusal("LABEL a=b g"),
    'Syntax error - can\'t find = in "g". Must be of the form: name=value',
  );
  assertEquals(refusal("ENV"), "ENV requires at least one argument");
  assertEquals(refusal("EXPOSE 99999"), "invalid containerPort: 99999");
});
