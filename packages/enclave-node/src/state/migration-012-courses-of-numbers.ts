import type { Migration } from './migration.js'

/**
 * Step 12: behind the entry of near duplicates a print may hold another one, of the index of courses. An earlier release takes all prints to
 * be as long as the first and would compare what does not belong together: on the way down they are cut to the 68 bytes that it knows.
 */
export const coursesOfNumbers: Migration = {
  version: 12,
  title: 'courses of numbers behind the prints of contents',
  up: `
    comment on column content_prints.sketch is 'an entry of near duplicates (68 bytes), and behind it one of courses (68 bytes) where there is one';
  `,
  down: `
    update content_prints set sketch = substring(sketch from 1 for 68) where octet_length(sketch) > 68;
    comment on column content_prints.sketch is null;
  `,
}
