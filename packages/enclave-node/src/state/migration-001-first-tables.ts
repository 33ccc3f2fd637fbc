import type { Migration } from './migration.js'

/** Step 1: everything that the node remembers. Nothing in these tables is a contribution's plaintext. */
export const firstTables: Migration = {
  version: 1,
  title: 'chain cursor, contributions, verdicts, refinements, jobs, ledger, receipts, blobs',
  up: `
    create table meta (
      key text primary key,
      value text not null
    );

    -- How far the chain has been read. One row for each chain; written in the transaction of what was read.
    create table chain_cursor (
      chain text primary key,
      block_number bigint not null,
      block_hash text not null,
      log_index integer not null
    );

    -- One number for each wallet, the same in all pools: the only name of a person in the refined tables.
    create table contributors (
      owner text primary key,
      number integer not null unique
    );

    create table contributions (
      id bigint primary key,
      pool text not null,
      owner text not null,
      contributor integer not null references contributors (number),
      blob_digest text not null,
      commitment text not null,
      schema_id text not null,
      consent_digest text not null,
      epoch integer not null,
      locator text not null,
      block_number bigint not null,
      block_hash text not null,
      log_index integer not null,
      state text not null check (state in ('seen', 'judged', 'recorded', 'refined', 'refused')),
      reason text,
      reason_text text,
      attempts integer not null default 0,
      retry_at bigint not null default 0,
      score integer,
      verdict_digest text,
      verdict_batch bigint,
      refinement bigint
    );
    create index contributions_by_state on contributions (pool, state, id);
    create index contributions_by_batch on contributions (verdict_batch);

    create table verdicts (
      contribution bigint primary key references contributions (id),
      digest text not null,
      statement text not null
    );

    -- What a pool has already accepted, as keyed fingerprints; a refused contribution holds no claim.
    create table fingerprints (
      pool text not null,
      fingerprint text not null,
      contribution bigint not null references contributions (id),
      primary key (pool, fingerprint)
    );

    -- A signed batch is written here before it is sent, so that a restart sends the same bytes again.
    create table verdict_batches (
      id bigint primary key,
      pool text not null,
      entries text not null,
      statement text not null,
      state text not null check (state in ('signed', 'recorded')),
      transaction text
    );

    create table refinements (
      id bigint primary key,
      pool text not null,
      schema_id text not null,
      digest text not null,
      parts text not null,
      contributions text not null,
      rows integer not null,
      statement text not null,
      state text not null check (state in ('signed', 'recorded')),
      transaction text
    );

    create table jobs (
      id bigint primary key,
      consumer text not null,
      manifest_digest text not null,
      locator text not null,
      pools text not null,
      chain_state text not null,
      approvals text not null,
      state text not null check (state in
        ('seen', 'waiting', 'running', 'charged', 'released', 'settled', 'refusing', 'refused', 'closed')),
      reason text,
      reason_text text,
      attempts integer not null default 0,
      retry_at bigint not null default 0,
      manifest text,
      plan text,
      receipt text,
      result_digest text,
      sealed_result bytea,
      -- Digests of the verdicts on the inputs, by pool: what the Merkle roots in the receipt stand for.
      inputs text,
      release text
    );
    create index jobs_by_state on jobs (state, id);

    -- The privacy budget, append only: every entry names the digest of the one before it.
    create table ledger (
      pool text not null,
      version integer not null,
      entry text not null,
      head text not null,
      primary key (pool, version)
    );
    create index ledger_by_head on ledger (head);
    create unique index ledger_once_per_job on ledger (pool, ((entry::jsonb) ->> 'job'));

    create table receipts (
      digest text primary key,
      job bigint not null,
      outcome text not null,
      receipt text not null
    );

    create table blobs (
      digest text primary key,
      purpose text not null check (purpose in ('contribution', 'manifest')),
      size integer not null
    );
  `,
  down: `
    drop table blobs, receipts, ledger, jobs, refinements, verdict_batches, fingerprints, verdicts, contributions,
      contributors, chain_cursor, meta;
  `,
}
