import { definePoc, type QualityRow, qualityRules, readCsv, refuse } from '@sealpool/poc/define'

/** Every declarative rule there is, over a table. */
export default definePoc<readonly QualityRow[]>({
  id: 'every-rule',
  version: '1',
  input: (raw) => {
    const table =
      typeof raw === 'string' ? (readCsv(raw) ?? refuse('NO_TABLE', 'file')) : refuse('NO_TEXT', 'file')
    return table.rows.map((row) => Object.fromEntries(table.header.map((name, at) => [name, row[at]])))
  },
  checks: qualityRules((rows: readonly QualityRow[]) => rows, {
    complete: { rule: 'complete', columns: ['day', 'note'] },
    range: { rule: 'range', column: 'steps', low: 0, high: 10_000 },
    fresh: { rule: 'fresh', column: 'day', from: '2026-01-02', until: '2026-12-31' },
    recent: { rule: 'recent', column: 'day', days: 2 },
    script: { rule: 'script', column: 'note', script: 'Latin' },
    length: { rule: 'length', column: 'note', least: 2, most: 20 },
    oneOf: { rule: 'one-of', column: 'kind', values: ['walk', 'run'] },
    variety: { rule: 'variety', column: 'steps', least: 5 },
    count: { rule: 'count', least: 8 },
    spread: { rule: 'spread', column: 'kind', most: 0.4 },
    agreement: { rule: 'agreement', columns: ['kind', 'other'] },
    compare: { rule: 'compare', left: 'steps', relation: '<=', right: 'cap', tolerance: 10 },
  }),
  score: { quality: 1 },
})
