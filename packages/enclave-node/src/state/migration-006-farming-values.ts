import type { Migration } from './migration.js'

/** Step 6: what contributions earned under their pool's farming rule. */
export const farmingValues: Migration = {
  version: 6,
  title: 'values by the farming rule',
  up: `
    create table farming_values (
      contribution bigint primary key references contributions (id),
      pool text not null,
      -- Order in which the pool's contributions were judged; one that is judged again keeps its own.
      place bigint not null,
      -- Number of who counts as the contributor.
      identity integer not null,
      period bigint not null,
      -- The first contribution of its cluster of near copies.
      cluster bigint not null,
      -- Ten-thousandths.
      earned integer not null,
      -- Keyed fingerprint of what its owner took back, for so long as bringing it again is worth nothing.
      taken_back text,
      -- The period that was going on when it was taken back; null until another contribution is judged.
      taken_period bigint
    );
    create index farming_values_taken on farming_values (pool, taken_back) where taken_back is not null;
    create index fingerprints_by_contribution on fingerprints (contribution);
    create index farming_values_by_place on farming_values (pool, place);
    create index farming_values_by_identity on farming_values (pool, identity, period, place);
    create index farming_values_by_cluster on farming_values (pool, cluster, place);
    create index farming_values_earned on farming_values (pool, cluster, place) where earned > 0;
  `,
  down: `
    drop index fingerprints_by_contribution;
    drop table farming_values;
  `,
}
