// Record and replay over generated queries: at least 500 statements of every kind that the planner accepts, each run on a
// generated data set and on its neighbour without one contributor. Every input of every noise primitive must move by no
// more than its stated sensitivity, and everything else that can be seen must be the same.
import { platformRandom } from '@sealpool/privacy'
import { planQuery, QueryError } from '@sealpool/query'
import { createDuckDbEngine } from '@sealpool/query/duckdb'
import { compareRecordings, record } from './sql/record.mjs'

const wanted = 520
const perData = 26
const digest = `sha256:${'0'.repeat(64)}`

/** A small generator with a seed, so that a failure can be repeated (mulberry32). */
function generator(seed) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (count) => Math.floor(next() * count)
  const pick = (list) => list[below(list.length)]
  return {
    next,
    below,
    pick,
    some: (list, most) => list.filter(() => next() < most / list.length).slice(0, most),
  }
}

const policyOf = (name, tables) => ({
  format: 'sealpool/pool-policy',
  version: 1,
  name,
  description: 'generated',
  purposes: ['test'],
  attestation: {},
  code: { poc: digest, refiner: digest, computations: [] },
  tables,
  privacy: {
    accounting: 'basic',
    epsilon: 10,
    delta: 1e-3,
    perJob: { epsilon: 4, delta: 1e-4 },
    minimumContributors: 2,
    maximumGroups: 400,
  },
  joins: { allowed: true, with: [name === 'pay' ? 'trips' : 'pay'] },
  economics: { price: '1', poolTokenBurn: '1' },
})
const workers = {
  name: 'workers',
  rowsPerContributor: 1,
  columns: [
    {
      name: 'wage',
      type: 'decimal',
      decimals: 2,
      min: 0,
      max: 50,
      nullable: true,
      use: ['measure', 'filter'],
    },
    { name: 'age', type: 'integer', min: 16, max: 90, nullable: false, use: ['measure', 'filter'] },
    { name: 'sector', type: 'text', values: ['mine', 'mill'], nullable: true, use: ['group', 'filter'] },
    { name: 'town', type: 'text', open: true, nullable: false, use: ['group', 'filter'] },
    { name: 'union_member', type: 'boolean', nullable: false, use: ['group', 'filter'] },
  ],
}
const rides = {
  name: 'rides',
  rowsPerContributor: 4,
  columns: [
    {
      name: 'miles',
      type: 'decimal',
      decimals: 1,
      min: 0,
      max: 30,
      nullable: true,
      use: ['measure', 'filter'],
    },
    { name: 'zone', type: 'integer', values: [1, 2, 3], nullable: false, use: ['group', 'filter'] },
    { name: 'tip', type: 'integer', min: -5, max: 20, nullable: false, use: ['measure', 'filter'] },
    {
      name: 'day',
      type: 'date',
      earliest: '2023-11-15',
      latest: '2024-03-10',
      nullable: true,
      use: ['group', 'filter', 'measure'],
    },
    {
      name: 'ended',
      type: 'timestamp',
      earliest: '2023-11-15',
      latest: '2024-03-10T23:59:59Z',
      nullable: false,
      use: ['filter', 'measure'],
    },
  ],
}
const pools = [
  { name: 'pay', address: `0x${'1'.repeat(40)}`, policy: policyOf('pay', [workers]) },
  { name: 'trips', address: `0x${'2'.repeat(40)}`, policy: policyOf('trips', [rides]) },
]
const publicTables = [
  {
    schema: 'pub',
    name: 'zones',
    columns: [
      { name: 'zone', type: 'integer' },
      { name: 'label', type: 'text' },
      { name: 'factor', type: 'decimal', decimals: 1 },
    ],
    rows: [
      [1, 'inner', 1.5],
      [2, 'outer', 2],
      [2, 'ring', 0.5],
    ],
  },
]

const days = Array.from({ length: 12 }, (_, index) => `2024-0${1 + (index % 3)}-${String(10 + index)}`)

function rowsOf(random) {
  const { below, pick, next } = random
  const odd = () => (next() < 0.15 ? pick([null, 'NaN', 'Infinity', '-1e300', '1e300', 'x']) : undefined)
  const workersRows = Array.from({ length: 4 + below(20) }, () => ({
    contributor: 1 + below(9),
    wage: odd() ?? below(6000) / 100,
    age: odd() ?? below(120),
    sector: pick(['mine', 'mill', 'farm', null]),
    town: pick(['a', 'b', 'c', 'd', "o'x", null]),
    union_member: pick([true, false, null]),
  }))
  const ridesRows = Array.from({ length: 10 + below(60) }, () => ({
    contributor: 1 + below(next() < 0.3 ? 2 : 9),
    miles: odd() ?? below(400) / 10,
    zone: 1 + below(4),
    tip: odd() ?? below(40) - 10,
    day: odd() ?? pick([null, '0100-01-01', '9999-12-31', '2024-02-29', ...days]),
    ended: odd() ?? `${pick(days)}T${String(below(24)).padStart(2, '0')}:15:00Z`,
  }))
  return { 'pay.workers': workersRows, 'trips.rides': ridesRows }
}

async function loaded(rows) {
  const engine = createDuckDbEngine({ threads: 1 })
  // The engine is not told the bounds: the plan's own clamps must hold.
  const plain = ({ min: _, max: __, earliest: ___, latest: ____, ...column }) => column
  await engine.load({ name: 'pay.workers', columns: workers.columns.map(plain), rows: rows['pay.workers'] })
  await engine.load({ name: 'trips.rides', columns: rides.columns.map(plain), rows: rows['trips.rides'] })
  return engine
}

const sources = [
  {
    from: 'pay.workers',
    numbers: [
      'wage',
      'age',
      'wage * 2 - age',
      'age % 7',
      'wage / age',
      'sqrt(wage)',
      'ln(age - 20)',
      'power(wage, 2)',
      'CASE WHEN union_member THEN wage END',
    ],
    keys: [
      'sector',
      'union_member',
      'town',
      'width_bucket(age, 20, 60, 4)',
      'upper(town)',
      "left(sector, 2) || '!'",
    ],
    filters: [
      'wage > 10',
      "lower(upper(sector)) = 'mine'",
      'sin(age * 12.5) < 0.5',
      'length(town) > 1',
      'NOT union_member',
      'age BETWEEN 20 AND 60',
      'contributor IN (SELECT contributor FROM trips.rides WHERE tip > 3)',
    ],
  },
  {
    from: 'trips.rides',
    numbers: [
      'miles',
      'tip',
      'miles * tip',
      'coalesce(miles, 1)',
      'abs(tip)',
      'round(miles)',
      'extract(doy FROM day)',
      'epoch(ended - day)',
      "day - DATE '2024-01-01'",
      "date_diff('week', day, ended)",
      "extract(day FROM day + tip * INTERVAL '1 month')",
    ],
    keys: [
      'zone',
      'day',
      "date_trunc('month', day)",
      'extract(dow FROM ended)',
      'ended::date',
      "CASE WHEN tip > 5 THEN 'much' ELSE 'little' END",
    ],
    filters: [
      'miles < 15',
      'zone <> 2',
      "day > '2024-01-15'",
      "ended < day + INTERVAL '3 days'",
      "date_trunc('month', ended) = date_trunc('month', day)",
      'tip >= 0',
      'miles IS NOT NULL',
      'contributor NOT IN (SELECT contributor FROM pay.workers WHERE age > 50)',
    ],
  },
  {
    from: 'pay.workers JOIN trips.rides USING (contributor)',
    numbers: ['wage', 'miles', 'wage * tip', 'miles + age'],
    keys: ['sector', 'zone', 'union_member'],
    filters: ['wage > 5', 'tip > 0', 'zone = 1 OR union_member'],
  },
  {
    from: 'pay.workers w LEFT JOIN trips.rides r ON r.contributor = w.contributor AND r.tip > 2',
    numbers: ['w.wage', 'r.miles', 'r.tip + w.age'],
    keys: ['w.sector', 'r.zone'],
    filters: ['w.age > 30', 'r.contributor IS NULL', 'r.miles > 3'],
  },
  {
    from: 'pay.workers w FULL JOIN trips.rides r USING (contributor)',
    numbers: ['w.wage', 'r.miles', 'coalesce(r.tip, 0) + coalesce(w.age, 20)', 'month(r.day)'],
    keys: ['w.sector', 'r.zone', 'w.union_member'],
    filters: [
      'w.age > 30 OR w.age IS NULL',
      'r.contributor IS NULL',
      'r.miles > 3',
      'contributor IN (SELECT contributor FROM trips.rides WHERE tip > 3)',
    ],
  },
  {
    from: '(SELECT contributor, tip, sum(tip) OVER (PARTITION BY contributor ORDER BY day, miles ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS near, first_value(miles) OVER (PARTITION BY contributor ORDER BY ended) AS first, day - lag(day) OVER (PARTITION BY contributor ORDER BY day) AS gap, count(*) OVER (PARTITION BY contributor ORDER BY tip RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS after FROM trips.rides) t',
    numbers: ['near', 'first', 'gap', 'after', 'near * tip'],
    keys: ['after'],
    filters: ['near > 3', 'gap < 30', 'first IS NOT NULL'],
  },
  {
    from: 'trips.rides r JOIN pub.zones z ON z.zone = r.zone',
    numbers: ['r.miles * z.factor', 'r.tip', 'z.factor'],
    keys: ['z.label', 'r.zone'],
    filters: ['r.tip > 1', "z.label <> 'ring'"],
  },
  {
    from: 'trips.rides r, range(3) t(g)',
    numbers: ['r.miles * t.g', 'r.tip'],
    keys: ['t.g', 'r.zone'],
    filters: ['r.tip > t.g', 't.g <> 1'],
  },
  {
    from: '(SELECT contributor, sum(miles) AS total, count(*) AS n, max(tip) AS best FROM trips.rides GROUP BY contributor) t',
    numbers: ['total', 'n', 'best - n', 'total / nullif(n, 2)'],
    keys: ['n'],
    filters: ['total > 20', 'n > 1', 'best <> 3'],
  },
  {
    from: '(SELECT contributor, zone, tip, row_number() OVER (PARTITION BY contributor ORDER BY tip DESC) AS place, sum(tip) OVER (PARTITION BY contributor) AS sum_tip, lag(miles) OVER (PARTITION BY contributor ORDER BY miles) AS before FROM trips.rides) t',
    numbers: ['tip', 'sum_tip', 'before', 'place'],
    keys: ['place', 'zone'],
    filters: ['place <= 2', 'tip * 2 > sum_tip', 'before IS NOT NULL'],
  },
  {
    from: '(SELECT contributor, tip AS v, zone FROM trips.rides UNION ALL SELECT contributor, age AS v, 1 AS zone FROM pay.workers) t',
    numbers: ['v'],
    keys: ['CASE WHEN v > 15 THEN 1 ELSE 0 END'],
    filters: ['v <> 7'],
  },
]

function statement(random) {
  const { pick, below, some, next } = random
  const source = pick(sources)
  const number = () => pick(source.numbers)
  const filterOf = () => (next() < 0.25 ? ` FILTER (WHERE ${pick(source.filters)})` : '')
  const kinds = [
    () => 'count(*)',
    () => `count(${number()})${filterOf()}`,
    () => `sum(${number()})${filterOf()}`,
    () => `avg(${number()})`,
    () => `var_samp(${number()})`,
    () => `stddev_pop(${number()})`,
    () => `count(DISTINCT ${number()})`,
    () => `median(${number()})`,
    () => `quantile_cont(${number()}, 0.9)`,
    () => `corr(${number()}, ${number()})`,
    () => `regr_slope(${number()}, ${number()})`,
    ...(source.from.includes('(') ? [] : [() => 'count(DISTINCT contributor)']),
  ]
  if (source.from.includes(' w FULL'))
    kinds.push(
      () => 'count(DISTINCT w.contributor)',
      () => 'count(r.contributor)',
    )
  else if (
    source.from.includes(' w LEFT') ||
    source.from.includes(' r JOIN') ||
    source.from.includes('range(')
  )
    kinds.pop()
  const aggregates = Array.from({ length: 1 + below(3) }, () => pick(kinds)())
  const filters = some(source.filters, 2)
  const where = filters.length === 0 ? '' : ` WHERE ${filters.join(pick([' AND ', ' OR ']))}`
  const keys = some(source.keys, 2)
  const group =
    keys.length === 0
      ? ''
      : next() < 0.2
        ? ` GROUP BY ROLLUP (${keys.join(', ')})`
        : ` GROUP BY ${keys.join(', ')}`
  return `SELECT ${[...keys, ...aggregates].join(', ')} FROM ${source.from}${where}${group}`
}

/** Runs generated queries until enough have been replayed. */
export async function run({ print }) {
  let agree = 0
  let differ = 0
  let primitives = 0
  let refused = 0
  const kinds = {}
  for (let seed = 1; agree + differ < wanted; seed += 1) {
    const random = generator(seed)
    const rows = rowsOf(random)
    const leaving = 1 + random.below(9)
    const stay = (table) => rows[table].filter(({ contributor }) => contributor !== leaving)
    const engines = [
      await loaded(rows),
      await loaded({ 'pay.workers': stay('pay.workers'), 'trips.rides': stay('trips.rides') }),
    ]
    for (let count = 0; count < perData; ) {
      const sql = statement(random)
      const exact =
        random.next() < 0.2 ? { bounds: { groups: 1 + random.below(2), rows: 1 + random.below(2) } } : {}
      let plan
      try {
        plan = await planQuery({ sql, pools, publicTables, budget: { epsilon: 2, delta: 1e-5 }, ...exact })
      } catch (error) {
        if (!(error instanceof QueryError)) throw error
        refused += 1
        continue
      }
      count += 1
      const [first, second] = [
        await record(plan, engines[0], platformRandom),
        await record(plan, engines[1], platformRandom),
      ]
      const compared = compareRecordings(plan, first, second)
      primitives += compared.primitives
      for (const { kind } of plan.program.statistics) kinds[kind] = (kinds[kind] ?? 0) + 1
      if (compared.fault === null) agree += 1
      else {
        differ += 1
        print(`seed ${seed}, contributor ${leaving}: ${compared.fault}: ${sql} ${JSON.stringify(exact)}`)
      }
    }
    for (const engine of engines) await engine.close()
  }
  print(
    `replay: ${agree} agree, ${differ} differ; ${primitives} inputs of noise primitives within their stated sensitivity`,
  )
  print(
    `statistics: ${Object.entries(kinds)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}; ${refused} generated statements were refused before`,
  )
  return { agree, differ }
}
