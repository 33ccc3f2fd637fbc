import type { Migration } from './migration.js'

/** Step 9: what each round looks for is found without reading all contributions. */
export const dueErasures: Migration = {
  version: 9,
  title: 'erasures that are due, by index',
  up: `
    create index due_erasures on contributions (id) where erasure = 'due';
    create index withdrawn_entries on contributions (id) where state = 'withdrawn' and merkle_batch is not null;
  `,
  down: `
    drop index withdrawn_entries;
    drop index due_erasures;
  `,
}
