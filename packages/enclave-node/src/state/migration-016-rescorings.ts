import type { Migration } from './migration.js'

/** Step 17: contributions of an earlier proof that the present one judges again. */
export const rescorings: Migration = {
  version: 16,
  title: 'contributions that are judged again by another proof',
  up: `
    create table rescoring_runs (
      pool text not null,
      -- Digest of policy, proof, rule and share.
      run text not null,
      state text not null check (state in ('judging', 'signed')),
      accepted integer not null,
      chosen integer not null,
      primary key (pool, run)
    );
    -- Stays when the contribution goes: who was chosen, and that nothing was left of it.
    create table rescored (
      contribution bigint not null,
      poc text not null,
      pool text not null,
      run text not null,
      state text not null check (state in ('due', 'judged', 'left', 'signed')),
      -- Why it got no second verdict.
      reason text,
      attempts integer not null default 0,
      retry_at bigint not null default 0,
      primary key (contribution, poc)
    );
    create index rescored_open on rescored (pool, run, contribution) where state <> 'signed';
    -- What the proof says of them; goes with them.
    create table rescored_verdicts (
      contribution bigint not null,
      poc text not null,
      -- The signed verdict, and the line of the statement that tells both.
      statement text not null,
      entry text not null,
      -- Keyed pseudonym of the account that it came with.
      account text,
      primary key (contribution, poc)
    );
    create table rescoring_statements (
      pool text not null,
      number integer not null,
      statement text not null,
      primary key (pool, number)
    );
  `,
  down: `
    drop table rescoring_statements;
    drop table rescored_verdicts;
    drop table rescored;
    drop table rescoring_runs;
  `,
}
