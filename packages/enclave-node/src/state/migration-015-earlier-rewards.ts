import type { Migration } from './migration.js'

/**
 * Step 16: what was rewarded before of a lineage or of one content. The prints of what was taken back under a farming rule come from its own
 * table; of what was taken back before this step in other pools there are none. On the way down those that farming had not are forgotten.
 */
export const earlierRewards: Migration = {
  version: 15,
  title: 'what was rewarded before',
  up: `
    create table earlier_rewards (
      contribution bigint primary key references contributions (id),
      pool text not null,
      -- Ten-thousandths that its lineage or its content had been rewarded with before it was judged.
      rewarded integer not null default 0,
      -- What stands for it now: the number of the newer version, or the digest of its sealed file.
      replaced_by text,
      -- Keyed fingerprint of what its owner took back after it was rewarded.
      print text,
      -- It was taken back before the chain rewarded it.
      unpaid boolean not null default false
    );
    create index earlier_rewards_by_print on earlier_rewards (pool, print) where print is not null;
    create index earlier_rewards_by_newer on earlier_rewards (replaced_by) where replaced_by is not null;
    insert into earlier_rewards (contribution, pool, print)
      select contribution, pool, taken_back from farming_values where taken_back is not null;
    drop index farming_values_taken;
    alter table farming_values drop column taken_back, drop column taken_period;
  `,
  down: `
    alter table farming_values add column taken_back text, add column taken_period bigint;
    update farming_values set taken_back = print from earlier_rewards
      where earlier_rewards.contribution = farming_values.contribution and print is not null and earned > 0;
    create index farming_values_taken on farming_values (pool, taken_back) where taken_back is not null;
    drop table earlier_rewards;
  `,
}
