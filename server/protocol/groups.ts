/** A named set of hosts, kept in `<data>/groups`; "@NAME" in a target expression. */
export interface GroupRecord {
  /** In lower case. */
  name: string;
  /** Names and globs, in the order of the file. */
  hosts: string[];
}

/** `groups/edit`: one change of one group, done wholly or not at all. */
export interface EditGroupParams {
  name: string;
  /** Names and globs to add; makes the group where there is none. One text may hold several: "a,b;c". */
  add?: string[];
  /** Entries to remove; one that is not there is an error. */
  remove?: string[];
  /** Deletes the group. */
  delete?: boolean;
}
