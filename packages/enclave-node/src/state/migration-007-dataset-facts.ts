import type { Migration } from './migration.js'

/** Step 7: signed facts about pools' tables. */
export const datasetFacts: Migration = {
  version: 7,
  title: 'facts about tables',
  up: `
    create table dataset_facts (
      pool text not null,
      number integer not null,
      -- What the facts are computed on and the entry of the budget ledger that pays for them.
      reservation text not null,
      state text not null check (state in ('reserved', 'signed', 'given-up')),
      statements text,
      primary key (pool, number)
    );
  `,
  down: `
    drop table dataset_facts;
  `,
}
