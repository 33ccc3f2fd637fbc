import type { Migration } from './migration.js'

/** Step 5: what accepted contributions hold, as keyed prints, and which accounts they came with. */
export const contentAndAccounts: Migration = {
  version: 5,
  title: 'prints of contents and claims to accounts',
  up: `
    -- An accepted contribution's entry in its pool's indexes of near duplicates and of rows.
    create table content_prints (
      contribution bigint primary key references contributions (id),
      pool text not null,
      sketch bytea not null,
      row_prints bytea not null
    );
    create index content_prints_by_pool on content_prints (pool, contribution);

    -- The account that an accepted contribution came with, as the pool's pseudonym of it.
    create table account_claims (
      contribution bigint primary key references contributions (id),
      pool text not null,
      account text not null
    );
    create index account_claims_by_account on account_claims (pool, account, contribution);
  `,
  down: `
    drop table account_claims, content_prints;
  `,
}
