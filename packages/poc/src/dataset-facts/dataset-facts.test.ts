import { platformRandom } from '@sealpool/privacy'
import { describe, expect, test } from 'vitest'
import { compareClaim, datasetFacts } from './dataset-facts.js'

function* table(count: number) {
  for (let index = 0; index < count; index++) {
    yield {
      day: `2026-${String((index % 12) + 1).padStart(2, '0')}-15T10:00:00Z`,
      steps: index % 4 === 0 ? '' : index % 7,
      note: `canary ${index}`,
    }
  }
}

test('the attestation says 49,000 when the owner claims 50,000', () => {
  const facts = datasetFacts({ rows: table(49_000), dateColumn: 'day' })
  expect(facts).toMatchObject({
    rows: 49_000,
    span: { first: '2026-01-15', last: '2026-12-15' },
    columns: [
      { name: 'day', kind: 'date', nullRate: 0, distinct: 12 },
      { name: 'note', kind: 'text', distinct: 49_000 },
      { name: 'steps', kind: 'integer', nullRate: 0.25, distinct: 7 },
    ],
  })
  expect(JSON.stringify(facts)).not.toContain('canary')
  const claim = {
    rows: 50_000,
    columns: ['steps', 'day', 'note'],
    span: { first: '2026-01-15', last: '2026-12-15' },
  }
  expect(compareClaim({ claim, facts })).toEqual({
    holds: false,
    differences: [{ fact: 'rows', claimed: 50_000, found: 49_000 }],
  })
  expect(compareClaim({ claim: { ...claim, rows: 49_000 }, facts }).holds).toBe(true)
})
test('a day that no month has is no end of a span', () => {
  const rows = ['2026-02-31', '2026-02-28', '2026-03-01', '2026-04-31T00:00:00Z'].map((day) => ({ day }))
  expect(datasetFacts({ rows, dateColumn: 'day' }).span).toEqual({ first: '2026-02-28', last: '2026-03-01' })
})

test('columns and ends of the span that differ are told', () => {
  const facts = datasetFacts({ rows: table(3) })
  const { differences } = compareClaim({
    claim: { columns: ['day'], span: { first: 'a', last: 'b' }, rows: Number.NaN },
    facts,
  })
  expect(differences.map(({ fact }) => fact)).toEqual(['rows', 'columns', 'span.first', 'span.last'])
})
test.each([
  [[1, 2], 'integer'],
  [[1, '2.5'], 'number'],
  [['2026-01-01'], 'date'],
  [['2026-13-01'], 'text'],
  [['2026-02-29'], 'text'],
  [['2028-02-29'], 'date'],
  [[true], 'boolean'],
  [[1, 'a'], 'mixed'],
  [[null, ''], 'empty'],
  [[{ a: 1 }], 'text'],
])('a column of %j is of kind %s', (values, kind) => {
  expect(datasetFacts({ rows: values.map((a) => ({ a })) }).columns[0]?.kind).toBe(kind)
})
test('a table of nothing has facts', () => {
  expect(datasetFacts({ rows: [] })).toEqual({ rows: 0, columns: [], span: null, keywords: [], noise: null })
  expect(datasetFacts({ rows: [{}] })).toMatchObject({ rows: 1, columns: [] })
})
test('noise moves counts a little, and a claim has room for it', () => {
  const noise = { epsilon: 0.5, random: platformRandom }
  const seen = new Set<number>()
  for (let round = 0; round < 30; round++) {
    const facts = datasetFacts({ rows: table(1000), noise })
    seen.add(facts.rows)
    expect(Math.abs(facts.rows - 1000)).toBeLessThan(100)
    expect(compareClaim({ claim: { rows: 1100 }, facts }).holds).toBe(false)
    expect(facts.noise).toEqual({ epsilon: 0.5 })
  }
  expect(seen.size).toBeGreaterThan(3)
  expect(
    compareClaim({
      claim: { rows: 1003 },
      facts: datasetFacts({ rows: table(1000), noise: { epsilon: 20, random: platformRandom } }),
    }).holds,
  ).toBe(false)
})

describe('with noise', () => {
  const noise = { epsilon: 5, random: platformRandom }
  const canary = 'diagnosis: canary, Jane Roe'
  const rows = Array.from({ length: 2000 }, (_, index) => ({
    day: '2026-05-05',
    steps: index === 7 ? 'canary' : index,
    ...(index === 9 ? { [canary]: 1, day: '1931-02-03' } : {}),
  }))
  test('no name and no day of one person is told, and one cell changes no kind', () => {
    const facts = datasetFacts({ rows, noise, dateColumn: 'day', columns: ['day', 'steps', 'absent'] })
    expect(JSON.stringify(facts)).not.toMatch(/canary|1931/)
    expect(facts.span).toBeNull()
    expect(facts.columns.map(({ name }) => name)).toEqual(['absent', 'day', 'steps'])
    expect(facts.columns.slice(1).map(({ kind }) => kind)).toEqual(['date', 'integer'])
    expect(datasetFacts({ rows, noise }).columns).toEqual([])
    const claim = { span: { first: '2026-05-05', last: '2026-05-05' } }
    expect(compareClaim({ claim, facts }).holds).toBe(false)
  })
  test('exact facts tell declared columns alone, too, and every name without a declaration', () => {
    expect(datasetFacts({ rows, columns: ['day'] }).columns.map(({ name }) => name)).toEqual(['day'])
    expect(datasetFacts({ rows }).columns.map(({ name }) => name)).toEqual(['day', canary, 'steps'])
  })
})

describe('keywords', () => {
  const rows = Array.from({ length: 4000 }, (_, index) => ({
    person: `p${index % 2000}`,
    text: `Coffee and TEA no${index % 2000}zz ${index % 2000 < 5 ? 'rareword' : ''}`,
  }))
  const keywords = {
    column: 'text',
    person: 'person',
    support: 20,
    wordsPerPerson: 4,
    epsilon: 8,
    delta: 1e-6,
    random: platformRandom,
  }
  test('are words of many people, never of few', () => {
    const found = datasetFacts({ rows, keywords }).keywords
    expect(found.map(({ word }) => word)).toEqual(['and', 'coffee', 'tea'])
    for (const { people } of found) expect(Math.abs(people - 2000)).toBeLessThan(100)
  })
  test('of a person who repeats himself count once', () => {
    const one = Array.from({ length: 5000 }, () => ({ person: 'a', text: 'secret' }))
    expect(datasetFacts({ rows: one, keywords }).keywords).toEqual([])
  })
  test.each([{ support: 1 }, { wordsPerPerson: 0 }])('with %j are refused', (own) => {
    expect(() => datasetFacts({ rows, keywords: { ...keywords, ...own } })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})
