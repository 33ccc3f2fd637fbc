import type { Migration } from './migration.js'

/** Step 19: what several validators said of contributions that are judged again. */
export const rescoredAgreements: Migration = {
  version: 18,
  title: 'several validators on what is judged again',
  up: `
    -- Their signed statements, and what they are about; null where the home alone judges.
    alter table rescored_verdicts add column agreement text;
  `,
  down: 'alter table rescored_verdicts drop column agreement;',
}
