/**
 * A problem's sentence without the number and name that programs of the original look for in front
 * of it: "[Errno 111] Connection refused: web1 refused ..." is "web1 refused ...".
 */
export function plainProblem(message: string): string {
  return message.replace(/^\[Errno -?\d+\] [^:]{1,60}: (?=\S)/, "");
}
