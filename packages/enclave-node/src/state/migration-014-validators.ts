import type { Migration } from './migration.js'

/** Step 14: what several validators said of a contribution, and where they contradicted each other. */
export const validators: Migration = {
  version: 14,
  title: 'verdicts of several validators',
  up: `
    create table verdict_agreements (
      contribution bigint primary key references contributions (id),
      -- Their signed statements, and what they are about.
      record text not null
    );
    -- Stays when the contribution goes: who said what, by digests.
    create table verdict_disputes (
      id bigint primary key,
      contribution bigint not null,
      pool text not null,
      -- Of both statements: the same pair stands here once.
      evidence_digest text not null unique,
      shown text not null,
      -- Both signed verdicts; null once the contribution was taken back.
      evidence text
    );
    create index verdict_disputes_contribution on verdict_disputes (contribution);
  `,
  down: `
    drop table verdict_disputes;
    drop table verdict_agreements;
  `,
}
