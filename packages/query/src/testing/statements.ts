import fc from 'fast-check'

const from = {
  pay: 'pay.workers',
  people: 'people.persons',
  trips: 'trips.rides',
  payPeople: 'pay.workers JOIN people.persons USING (contributor)',
  payTrips: 'pay.workers w JOIN trips.rides r ON w.contributor = r.contributor',
} as const

const parts = {
  pay: {
    measures: [
      'wage',
      'bonus',
      'wage * 2 - bonus',
      'CASE WHEN union_member THEN wage END',
      '-bonus',
      '1',
      '0.5',
      'wage * bonus',
    ],
    counts: ['count(bonus)', 'count(wage)', 'count(sector)', 'count(union_member)'],
    keys: ['union_member', 'sector', "CASE WHEN bonus < 0 THEN 'minus' WHEN bonus IS NULL THEN 'none' END"],
    filters: [
      'bonus > 12.5',
      "sector <> 'other'",
      'union_member IS NOT TRUE',
      'bonus * 3 BETWEEN -50 AND 700',
      'sector IS NULL OR NOT union_member',
      "sector IN ('other', 'secret', NULL)",
    ],
  },
  people: {
    measures: ['education', 'education * education', "CASE gender WHEN 'male' THEN education ELSE 0 END"],
    counts: ['count(education)'],
    keys: [
      'gender',
      "CASE WHEN education < 12 THEN 'under 12' WHEN education = 12 THEN '12' ELSE 'over 12' END",
    ],
    filters: ['education <> 12', "gender = 'female'", 'education IN (8, 12, 16.5)'],
  },
  trips: {
    measures: ['miles', 'miles + 1', 'miles * miles'],
    counts: ['count(miles)'],
    keys: ['zone', 'CASE WHEN miles > 10 THEN 1 ELSE 0 END'],
    filters: ['miles < 15.25', 'zone IN (1, 3)', 'NOT (miles = 0)'],
  },
} as const

type Part = { readonly [K in 'measures' | 'counts' | 'keys' | 'filters']: readonly string[] }
const join = (first: Part, second: Part): Part => ({
  measures: [...first.measures, ...second.measures],
  counts: [...first.counts, ...second.counts],
  keys: [...first.keys, ...second.keys],
  filters: [...first.filters, ...second.filters],
})

function statementOver(source: string, part: Part): fc.Arbitrary<string> {
  const aggregate = fc.oneof(
    fc.constantFrom('count(*)', 'count(DISTINCT contributor)', ...part.counts),
    fc
      .tuple(fc.constantFrom('sum', 'avg'), fc.constantFrom(...part.measures))
      .map(([name, of]) => `${name}(${of})`),
  )
  return fc
    .record({
      aggregates: fc.array(aggregate, { minLength: 1, maxLength: 3 }),
      keys: fc.subarray([...part.keys], { maxLength: 2 }),
      filters: fc.subarray([...part.filters], { maxLength: 2 }),
      connective: fc.constantFrom(' AND ', ' OR '),
    })
    .map(({ aggregates, keys, filters, connective }) => {
      const where = filters.length > 0 ? ` WHERE ${filters.join(connective)}` : ''
      const group = keys.length > 0 ? ` GROUP BY ${keys.join(', ')}` : ''
      return `SELECT ${[...keys, ...aggregates].join(', ')} FROM ${source}${where}${group}`
    })
}

/** Statements that the planner accepts, over one table or a join. */
export const acceptedStatement: fc.Arbitrary<string> = fc.oneof(
  statementOver(from.pay, parts.pay),
  statementOver(from.people, parts.people),
  statementOver(from.trips, parts.trips),
  statementOver(from.payPeople, join(parts.pay, parts.people)),
  statementOver(from.payTrips, join(parts.pay, parts.trips)),
)
