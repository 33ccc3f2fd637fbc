import type { Migration } from './migration.js'

/** Step 18: contributions that were sealed under another policy than their pool has now. */
export const earlierPolicies: Migration = {
  version: 17,
  title: 'contributions of earlier policies',
  up: `
    create table earlier_policies (
      contribution bigint primary key references contributions (id),
      pool text not null,
      -- Digest of the policy that it was accepted under.
      policy text not null
    );
  `,
  down: 'drop table earlier_policies;',
}
