import { assertEquals } from "@std/assert";
import { didYouMean, suggest } from "./suggest.ts";

Deno.test("suggest() finds the nearest name, at most two changes away", () => {
  const names = ["from", "chown", "chmod"];
  assertEquals(suggest("form", names), "from");
  assertEquals(suggest("chwon", names), "chown");
  assertEquals(suggest("fr", names), "from");
  assertEquals(suggest("f", names), undefined);
  assertEquals(suggest("from", names), undefined);
  assertEquals(suggest("FORM", names), undefined);
});

Deno.test("suggest() writes its answer as the name is written, where case does not count", () => {
  const find = (name: string) => suggest(name, ["COPY", "RUN"], { ignoreCase: true });
  assertEquals([find("RUNN"), find("cpoy"), find("Cpoy")], ["RUN", "copy", "copy"]);
});

Deno.test("didYouMean() is empty if nothing is near", () => {
  assertEquals(didYouMean("RUNN", ["RUN"]), " (did you mean RUN?)");
  assertEquals(didYouMean("x", ["RUN"]), "");
});
