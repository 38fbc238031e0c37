import { fnmatchCase } from "../targets/fnmatch";
import { AclProblem, type AclRule } from "./aclRule";

/**
 * Reads a file in the original's format, `NAME-HASH = method, glob.*`: the common name and the decimal hash
 * of the certificate's subject as one glob, then globs of methods, separated by commas or spaces. As there,
 * the first glob is read in small letters and compared with case, so that a name with capitals matches by a
 * wildcard only. Blank lines are allowed. Throws AclProblem.
 */
export function parseOriginalAcl(text: string): AclRule[] {
  return text.split("\n").flatMap((line, at): AclRule[] => {
    if (line.startsWith("#") || line.trim() === "") return [];
    const parts = line.split("=");
    const [subject = "", methods = ""] = parts;
    if (parts.length !== 2) throw new AclProblem(at + 1, `needs exactly one "="`);
    if (subject.trim() === "") throw new AclProblem(at + 1, `names nobody in front of the "="`);
    return [ruleOf(at + 1, subject.trim().toLowerCase(), methods.replaceAll(",", " ").trim())];
  });
}

function ruleOf(line: number, subject: string, methods: string): AclRule {
  const isSubject = fnmatchCase(subject);
  const words = methods === "" ? [] : methods.split(/\s+/);
  const globs = words.map(fnmatchCase);
  return {
    line,
    methods: words.map((glob) => ({ glob, line })),
    names: (caller) => caller.subject !== undefined && isSubject(caller.subject),
    allows: ({ method }) => globs.some((isMethod) => isMethod(method)),
  };
}
