/** Grows with each change of the tables; a database of another version is not read. */
export const SCHEMA_VERSION = 1;

const META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;";

/**
 * The jobs that were started on one day. Times of results are milliseconds since the job's `created_at`, so that
 * they take few bytes. A minion has no row for its first attempt before something has happened to it.
 */
export const DAY_SCHEMA = `${META}
CREATE TABLE rosters (roster INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, minions TEXT NOT NULL);
CREATE TABLE jobs (
  job INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, roster INTEGER NOT NULL, record TEXT NOT NULL,
  created_at INTEGER NOT NULL, finished_at INTEGER, cancel_requested INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE results (
  job INTEGER NOT NULL, place INTEGER NOT NULL, attempt INTEGER NOT NULL,
  state INTEGER NOT NULL, flags INTEGER NOT NULL DEFAULT 0,
  queued_at INTEGER, sent_at INTEGER, running_at INTEGER,
  began_at INTEGER, ended_at INTEGER, duration INTEGER, exit_status INTEGER,
  value_bytes INTEGER, minion_job TEXT, digest TEXT, detail TEXT, hash BLOB,
  PRIMARY KEY (job, place, attempt)
) WITHOUT ROWID;
CREATE TABLE outputs (
  hash BLOB PRIMARY KEY, offset INTEGER NOT NULL, length INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE notes (
  job INTEGER NOT NULL, at INTEGER NOT NULL, event TEXT NOT NULL, cause TEXT,
  PRIMARY KEY (job, at, event)
) WITHOUT ROWID;
CREATE TABLE held (
  job INTEGER NOT NULL, sha256 BLOB NOT NULL, PRIMARY KEY (job, sha256)
) WITHOUT ROWID;`;

/** All jobs of all days, as lists show them. All but the checkpoint's number can be made again from the days. */
export const INDEX_SCHEMA = `${META}
CREATE TABLE names (name INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE rosters (roster INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, names BLOB NOT NULL);
CREATE TABLE jobs (
  job INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, day TEXT NOT NULL, roster INTEGER NOT NULL,
  created_at INTEGER NOT NULL, finished_at INTEGER, open INTEGER NOT NULL, problems INTEGER NOT NULL,
  module TEXT NOT NULL, method TEXT NOT NULL, summary TEXT NOT NULL, lost TEXT
);
CREATE INDEX jobs_by_time ON jobs (created_at, id);
CREATE INDEX jobs_by_day ON jobs (day);
CREATE TABLE held (
  job INTEGER NOT NULL, sha256 BLOB NOT NULL, PRIMARY KEY (job, sha256)
) WITHOUT ROWID;`;
