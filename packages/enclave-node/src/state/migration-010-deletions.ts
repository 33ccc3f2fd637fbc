import type { Migration } from './migration.js'

/** Step 10: what was deleted, the signed lists of it, and their places in the public log. */
export const deletions: Migration = {
  version: 10,
  title: 'deletions and their signed lists',
  up: `
    -- What is to be deleted (due), and what is gone and stands in no list yet (done). A list takes its entries out of here.
    create table deletions (
      id bigint primary key,
      kind text not null,
      pool text,
      object text not null,
      digest text,
      reason text not null,
      kept text,
      state text not null check (state in ('due', 'done'))
    );
    create unique index deletions_due_once on deletions (object, coalesce(pool, '')) where state = 'due';
    create index deletions_by_state on deletions (state, id);
    -- Append only: each names the digest of the one before.
    create table deletion_lists (
      number bigint primary key,
      digest text not null,
      statement text not null
    );
    alter table receipt_log rename column job to number;
    alter table receipt_log add column kind text not null default 'receipt' check (kind in ('receipt', 'deletion'));
    create index receipt_log_by_number on receipt_log (kind, number);
    create index contributions_by_blob on contributions (blob_digest);
  `,
  down: `
    drop index contributions_by_blob;
    drop index receipt_log_by_number;
    -- Another log from here on, as with any log that loses entries; the earlier release knows no others.
    delete from receipt_log where kind <> 'receipt';
    update receipt_log set position = -1 - position;
    update receipt_log set position =
      (select count(*) from receipt_log as earlier where earlier.position > receipt_log.position);
    alter table receipt_log drop column kind;
    alter table receipt_log rename column number to job;
    drop table deletion_lists, deletions;
  `,
}
