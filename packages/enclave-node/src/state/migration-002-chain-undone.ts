import type { Migration } from './migration.js'

/**
 * Step 2: the node obeys what the chain takes back. Contributions can be withdrawn by their owners or vanish with a
 * reorganisation, tables are rebuilt without them, and what happened to jobs is kept event by event, so that the events of
 * blocks that are gone can be taken out again. Jobs reserve their inputs and their charge before they run.
 */
export const chainUndone: Migration = {
  version: 2,
  title: 'blocks, withdrawals, Merkle batches, events of jobs, reservations, statements that exist once',
  up: `
    -- Blocks that were read, newest last: where the node's chain and the endpoint's part.
    create table chain_blocks (
      chain text not null,
      block_number bigint not null,
      block_hash text not null,
      primary key (chain, block_number)
    );

    alter table contributions drop constraint contributions_state_check;
    alter table contributions add constraint contributions_state_check check (state in
      ('seen', 'judged', 'recorded', 'refined', 'refused', 'withdrawn', 'detached'));
    alter table contributions
      -- Entry of a Merkle batch; null for a contribution of the registry.
      add column merkle_batch bigint,
      add column batch_index integer,
      -- Where it stood before it was withdrawn or detached.
      add column state_before text,
      add column withdrawn_block bigint,
      -- The node's statement that it destroyed what it held: null, due, recorded.
      add column erasure text check (erasure in ('due', 'recorded')),
      add column erasure_block bigint;
    create index contributions_by_merkle_batch on contributions (merkle_batch) where merkle_batch is not null;
    create index contributions_by_refinement on contributions (refinement) where refinement is not null;

    alter table verdict_batches drop constraint verdict_batches_state_check;
    alter table verdict_batches add constraint verdict_batches_state_check check (state in
      ('signed', 'recorded', 'replaced'));
    alter table verdict_batches add column recorded_block bigint;

    alter table refinements drop constraint refinements_state_check;
    alter table refinements add constraint refinements_state_check check (state in
      ('signed', 'recorded', 'superseded'));
    alter table refinements add column recorded_block bigint;

    -- Verdicts on a Merkle batch go to the chain as one root, and are paid with proofs.
    create table merkle_verdicts (
      batch bigint primary key,
      pool text not null,
      root text not null,
      accepted integer not null,
      verdicts text not null,
      statement text not null,
      state text not null check (state in ('signed', 'recorded', 'paid')),
      recorded_block bigint
    );

    create table job_events (
      job bigint not null,
      block_number bigint not null,
      position integer not null,
      event text not null,
      primary key (job, block_number, position)
    );
    alter table jobs
      add column proposed_block bigint,
      -- Its proposal is not on the chain any more.
      add column detached boolean not null default false,
      -- What was set aside for it before it ran: inputs and the name of its charge.
      add column reservation text;

    -- Statements of which the chain allows one for each subject: a second one that differs costs the node its key.
    create table exclusive_statements (
      kind text not null,
      pool text not null,
      subject text not null,
      digest text not null,
      primary key (kind, pool, subject)
    );
  `,
  down: `
    drop table exclusive_statements, job_events, merkle_verdicts, chain_blocks;
    alter table jobs drop column reservation, drop column detached, drop column proposed_block;
    update contributions set state = 'refused' where state in ('withdrawn', 'detached');
    update verdict_batches set state = 'recorded' where state = 'replaced';
    delete from refinements where state = 'superseded';
    alter table refinements drop column recorded_block, drop constraint refinements_state_check;
    alter table refinements add constraint refinements_state_check check (state in ('signed', 'recorded'));
    alter table verdict_batches drop column recorded_block, drop constraint verdict_batches_state_check;
    alter table verdict_batches add constraint verdict_batches_state_check check (state in ('signed', 'recorded'));
    alter table contributions drop column erasure_block, drop column erasure, drop column withdrawn_block,
      drop column state_before, drop column batch_index, drop column merkle_batch,
      drop constraint contributions_state_check;
    alter table contributions add constraint contributions_state_check check (state in
      ('seen', 'judged', 'recorded', 'refined', 'refused'));
  `,
}
