import type { Migration } from './migration.js'

/**
 * Step 13: what is remembered of contributions of live pools, whose rows and copies are not kept. An earlier release would take them for
 * refined and find no rows: on the way down they are to be refined, which it does where it can read their blobs.
 */
export const liveCopies: Migration = {
  version: 13,
  title: 'contributions of live pools',
  up: `
    create table live_copies (
      contribution bigint primary key,
      pool text not null,
      -- Digest of the rows that the refiner made of it when it was first seen: what it gives later must be the same.
      rows text not null,
      size integer not null,
      -- Whether its owner's store gave it at the last look, and how often in a row it did not.
      found boolean not null,
      misses integer not null
    );
    create index live_copies_by_pool on live_copies (pool, misses, contribution);
  `,
  down: `
    update contributions set state = 'recorded', retry_at = 0, attempts = 0
      where state = 'refined' and reason is null and id in (select contribution from live_copies);
    delete from meta where key like 'keep %' or key like 'live-look %';
    drop table live_copies;
  `,
}
