import type { JobSummary } from "../protocol/jobs";

/** Says on one line that a glob or a group fits hosts behind sub-overlords too; empty for none. */
export function behindTooText({ behindToo }: Pick<JobSummary, "behindToo">): string {
  if (!behindToo) return "";
  const { hosts, hops, moreHops } = behindToo;
  const who = hosts === 1 ? "1 more host that fits stands" : `${hosts} more hosts that fit stand`;
  const more = moreHops === 0 ? "" : ` and ${moreHops} more`;
  return `func: ${who} behind ${hops.join(", ")}${more}: --delegate calls ${hosts === 1 ? "it" : "them"} too.\n`;
}
