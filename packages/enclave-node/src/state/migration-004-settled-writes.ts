import type { Migration } from './migration.js'

/**
 * Step 4: what the node wrote to the chain is settled only when it was seen there at a block that the node has read. What
 * an earlier release noted as recorded is looked up once, because that release could have lost it.
 */
export const settledWrites: Migration = {
  version: 4,
  title: 'writes that are looked up again when their blocks are read',
  up: `
    -- Block that was read and at which it stood; null: sent, and not seen under the confirmations yet.
    alter table verdict_batches add column settled_block bigint;
    alter table refinements add column settled_block bigint;
    alter table merkle_verdicts add column settled_block bigint;
    alter table contributions add column erasure_settled_block bigint;
    create index unsettled_verdict_batches on verdict_batches (id) where settled_block is null and state = 'recorded';
    create index unsettled_refinements on refinements (id) where settled_block is null and state = 'recorded';
    create index unsettled_erasures on contributions (id) where erasure_settled_block is null and erasure = 'recorded';
  `,
  down: `
    drop index unsettled_erasures, unsettled_refinements, unsettled_verdict_batches;
    alter table contributions drop column erasure_settled_block;
    alter table merkle_verdicts drop column settled_block;
    alter table refinements drop column settled_block;
    alter table verdict_batches drop column settled_block;
  `,
}
