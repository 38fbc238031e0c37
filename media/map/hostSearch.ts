import type { MapTree } from "./mapTree";

/** Hosts whose name fits: a part of it, or all of it where the query is a glob. In the map's order. */
export function findHosts(tree: MapTree, query: string): number[] {
  const text = query.trim().toLowerCase();
  if (text === "") return [];
  const fits = /[*?]/.test(text) ? globTest(text) : (name: string) => name.includes(text);
  const hits: number[] = [];
  for (let place = 1; place < tree.names.length; place++) {
    if (fits(tree.nameOf(place).toLowerCase())) hits.push(place);
  }
  return hits;
}

/** The hit after the place, or before it, around the end. */
export function nextHit(hits: readonly number[], place: number, back: boolean): number | undefined {
  if (back) return hits.findLast((hit) => hit < place) ?? hits.at(-1);
  return hits.find((hit) => hit > place) ?? hits[0];
}

/** Compares step by step, so that no glob takes long. */
function globTest(glob: string): (name: string) => boolean {
  return (name) => {
    let at = 0;
    let star = -1;
    let from = 0;
    let index = 0;
    while (index < name.length) {
      if (glob[at] === "*") {
        star = at++;
        from = index;
      } else if (glob[at] === "?" || glob[at] === name[index]) {
        at++;
        index++;
      } else if (star >= 0) {
        at = star + 1;
        index = ++from;
      } else return false;
    }
    while (glob[at] === "*") at++;
    return at === glob.length;
  };
}
