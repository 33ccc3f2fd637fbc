import type { Migration } from './migration.js'

/** Step 8: verdicts that are judged again. */
export const verdictAudits: Migration = {
  version: 8,
  title: 'audits of verdicts',
  up: `
    create table verdict_audits (
      contribution bigint primary key references contributions (id),
      pool text not null,
      state text not null check (state in ('due', 'same', 'differs')),
      -- What was known of the contribution when it was judged; null once the verdict came out the same.
      known text,
      retry_at bigint not null default 0
    );
    create index verdict_audits_due on verdict_audits (pool, contribution) where state <> 'same';
  `,
  down: `
    drop table verdict_audits;
  `,
}
