import { expect, it } from "vitest";
import { argsText } from "../../server/jobs/argsText";
import { readJobAnswer } from "../../server/jobs/engine/jobAnswer";

it.each([
  [[0, -1], "running"],
  [[3, []], "running"],
  [[1, "value"], "finished"],
  [[2, 0], "lost"],
  [["REMOTE_ERROR", "lost job"], "lost"],
  [["REMOTE_ERROR", "socket.error", "[Errno 111]"], "error"],
  [["REMOTE_ERROR", "socket.error", "[Errno 111]", "trace"], "error"],
  [["REMOTE_ERROR", "func.minion.codes.InvalidMethodException", "", ""], "no-such-method"],
  [[9, 0], "error"],
  ["text", "error"],
  [null, "error"],
])("%j is %s", (value, kind) => {
  expect(readJobAnswer(value)).toMatchObject({ kind });
});

it("hides secrets in the text of arguments", () => {
  const method = {
    name: "set",
    description: "",
    args: [
      { name: "user", type: "string" as const, optional: false, description: "" },
      { name: "pin", type: "string" as const, optional: false, description: "", secret: true },
    ],
  };
  expect(argsText(["root", "1234"], method)).toBe('"root", ***');
  const text = argsText([{ user: "root", password: "1234", apiToken: "5678" }], undefined);
  expect(text).toContain("root");
  expect(text).not.toMatch(/1234|5678/);
  expect(argsText(["x".repeat(1_000)], undefined).length).toBe(200);
});
