import type { PoolPolicy } from '@sealpool/privacy'
import type { PlanPool } from '../catalogue/catalogue.js'
import type { Row, SqlEngine } from '../engine/engine.js'
import { executePlan } from '../execute/execute-plan.js'
import { planQuery } from '../plan/plan-query.js'
import { dice, type MockData, mockPool, openTarget } from './target.js'

/** What an attack is given. */
export interface Arena {
  readonly privacy: PoolPolicy['privacy']
  readonly data: MockData
  /** An engine that holds the mock data. */
  readonly engine: SqlEngine
  /** Starts an engine over other rows of the same table, and over a second table `twin.members`; the attack closes it. */
  readonly engineOf: (rows: readonly Row[], twin?: readonly Row[]) => Promise<SqlEngine>
  readonly random: (length: number) => Uint8Array
  /** Independent tries of each attack. */
  readonly trials: number
  /** Milliseconds, for the timing attack only. */
  readonly clock: () => number
}

/** How an attack went. `rate` is how often it was right; a coin is right half of the time. */
export interface Outcome {
  readonly attack: string
  readonly rate: number
  readonly tries: number
  /** What the number is, in a few words. */
  readonly about: string
  /** Whether `rate` is held against the preset's bound; otherwise against `limit`. */
  readonly limit: number | null
}

type Attack = (arena: Arena) => Promise<Outcome>

/** Guesses the secrets of victims, each against a pool at the start of its life. */
async function guessBits(
  arena: Arena,
  attack: string,
  about: string,
  guess: (
    victim: MockData['victims'][number],
    ask: (sql: string) => Promise<number | null>,
  ) => Promise<boolean>,
): Promise<Outcome> {
  const below = dice(arena.random)
  let right = 0
  for (let trial = 0; trial < arena.trials; trial += 1) {
    const victim = arena.data.victims[below(arena.data.victims.length)]
    if (victim === undefined) break
    const target = await openTarget({
      pool: mockPool(arena.privacy),
      engine: arena.engine,
      random: arena.random,
    })
    if ((await guess(victim, target.number)) === victim.secret) right += 1
  }
  return { attack, rate: right / arena.trials, tries: arena.trials, about, limit: null }
}

const coin = (arena: Arena) => (arena.random(1)[0] ?? 0) % 2 === 0

/** Two counts that differ by one person, again and again until the budget is spent; the mean difference tells the bit. */
const differencing: Attack = (arena) =>
  guessBits(
    arena,
    'differencing',
    'right about one bit by count(all) - count(all but one)',
    async ({ code }, ask) => {
      let sum = 0
      let pairs = 0
      for (let turn = 0; ; turn += 1) {
        const all = await ask(`SELECT count(*) FROM mock.members WHERE secret AND code <> ${-1 - turn}`)
        const rest =
          all === null
            ? null
            : await ask(
                `SELECT count(*) FROM mock.members WHERE secret AND code <> ${code} AND code <> ${-1 - turn}`,
              )
        if (all === null || rest === null) break
        sum += all - rest
        pairs += 1
      }
      return pairs === 0 ? coin(arena) : sum / pairs > 0.5
    },
  )

/** The classic tracker: the count over the victim is computed from counts over large groups. */
const tracker: Attack = (arena) =>
  guessBits(
    arena,
    'tracker',
    'right about one bit by counts of large groups padded with the victim',
    async ({ code }, ask) => {
      let sum = 0
      let pairs = 0
      for (let turn = 0; ; turn += 1) {
        const cut = 40 + turn
        const padded = await ask(
          `SELECT count(*) FROM mock.members WHERE secret AND (code = ${code} OR age > ${cut})`,
        )
        const plain =
          padded === null
            ? null
            : await ask(`SELECT count(*) FROM mock.members WHERE secret AND age > ${cut} AND code <> ${code}`)
        if (padded === null || plain === null) break
        sum += padded - plain
        pairs += 1
      }
      return pairs === 0 ? coin(arena) : sum / pairs > 0.5
    },
  )

/** Asks the same question in other words until the budget is spent and takes the mean: free samples of the noise. */
const averaging: Attack = (arena) =>
  guessBits(
    arena,
    'averaging',
    'right about one bit by the mean of equal questions in other words',
    async ({ code }, ask) => {
      let sum = 0
      let turns = 0
      for (let turn = 0; ; turn += 1) {
        const sql = `SELECT sum(CASE WHEN secret AND code = ${code} AND ${turn} = ${turn} THEN 1 ELSE 0 END) FROM mock.members`
        const first = await ask(sql)
        if (first === null) break
        // The same words again are the same answer, for free and for nothing.
        const again = await ask(sql)
        if (again !== first) throw new Error('the same question had two answers')
        sum += first
        turns += 1
      }
      return turns === 0 ? coin(arena) : sum / turns > 0.5
    },
  )

/** The attacker puts wallets of its own around the victim, so that the group is large enough to be shown. */
const sybil: Attack = async (arena) => {
  const below = dice(arena.random)
  const size = Math.max(24, arena.privacy.minimumContributors * 2)
  let right = 0
  // One pool for all tries: each victim has a band of codes with the attacker's own members in it.
  const victims = Array.from({ length: arena.trials }, (_, index) => ({
    code: 50_000 + index * 200,
    secret: below(2) === 1,
  }))
  const rows = victims.flatMap(({ code, secret }, index) =>
    Array.from(
      { length: size + 1 },
      (_, own): Row => ({
        contributor: index * (size + 1) + own,
        code: code + own,
        age: 40,
        country: 'fr',
        secret: own === 0 ? secret : own % 2 === 0,
        income: 0,
      }),
    ),
  )
  const engine = await arena.engineOf(rows)
  const own = Array.from({ length: size }, (_, index) => index + 1).filter((index) => index % 2 === 0).length
  try {
    for (const { code, secret } of victims) {
      const target = await openTarget({ pool: mockPool(arena.privacy), engine, random: arena.random })
      let sum = 0
      let turns = 0
      for (;;) {
        const count = await target.number(
          `SELECT count(*) FROM mock.members WHERE secret AND code BETWEEN ${code} AND ${code + size} AND code <> ${-1 - turns}`,
        )
        if (count === null) break
        sum += count - own
        turns += 1
      }
      if ((turns === 0 ? coin(arena) : sum / turns > 0.5) === secret) right += 1
    }
  } finally {
    await engine.close()
  }
  return {
    attack: 'sybil padding',
    rate: right / arena.trials,
    tries: arena.trials,
    about: 'right about one bit in a group of the attacker`s own wallets',
    limit: null,
  }
}

/** Is the victim in the pool at all? Counts of the rows that only the victim could be. */
const membership: Attack = async (arena) => {
  const below = dice(arena.random)
  let right = 0
  for (let trial = 0; trial < arena.trials; trial += 1) {
    const victim = arena.data.victims[below(arena.data.victims.length)]
    if (victim === undefined) break
    const isMember = below(2) === 1
    // The code of nobody stands for the same person having stayed away: a neighbouring data set.
    const code = isMember ? victim.code : victim.code + 1
    const target = await openTarget({
      pool: mockPool(arena.privacy),
      engine: arena.engine,
      random: arena.random,
    })
    let sum = 0
    let turns = 0
    for (;;) {
      const count = await target.number(
        `SELECT sum(CASE WHEN code = ${code} AND ${turns} = ${turns} THEN 1 ELSE 0 END) FROM mock.members`,
      )
      if (count === null) break
      sum += count
      turns += 1
    }
    if ((turns === 0 ? coin(arena) : sum / turns > 0.5) === isMember) right += 1
  }
  return {
    attack: 'membership',
    rate: right / arena.trials,
    tries: arena.trials,
    about: 'right about whether somebody is in the pool',
    limit: null,
  }
}

/**
 * Dinur and Nissim: counts over random halves, then the secrets that fit them best (a few rounds of descent on the squared
 * error), for one pool's whole life.
 */
const reconstruction: Attack = async (arena) => {
  const below = dice(arena.random)
  const attacked = arena.data.victims.slice(0, 60)
  const target = await openTarget({
    pool: mockPool(arena.privacy),
    engine: arena.engine,
    random: arena.random,
  })
  const equations: { readonly members: readonly number[]; readonly count: number }[] = []
  for (;;) {
    const members = [...attacked.keys()].filter(() => below(2) === 1)
    const codes = members.map((member) => attacked[member]?.code ?? 0)
    const count = await target.number(
      `SELECT count(*) FROM mock.members WHERE secret AND code IN (${[-1, ...codes].join(', ')})`,
    )
    if (count === null) break
    equations.push({ members, count })
  }
  const guess = attacked.map(() => 0.5)
  for (let round = 0; round < 400; round += 1) {
    for (const { members, count } of equations) {
      const off = count - members.reduce((sum, member) => sum + (guess[member] ?? 0), 0)
      for (const member of members) {
        guess[member] = Math.min(
          1,
          Math.max(0, (guess[member] ?? 0) + (0.2 * off) / Math.max(1, members.length)),
        )
      }
    }
  }
  const right = attacked.filter(({ secret }, index) => (guess[index] ?? 0) > 0.5 === secret).length
  return {
    attack: 'reconstruction',
    rate: right / attacked.length,
    tries: attacked.length,
    about: `secrets rebuilt from ${equations.length} random subset counts`,
    limit: null,
  }
}

/** Expressions that fail for some rows in an engine: whether anything is told by an error. */
const overflow: Attack = async (arena) => {
  const pool: PlanPool = mockPool(arena.privacy)
  const statements = [
    'SELECT sum(income / (age - 18)) FROM mock.members',
    'SELECT sum(CASE WHEN secret THEN income / 0 ELSE 1 END) FROM mock.members',
    'SELECT sum(income % (age - 20)) FROM mock.members',
    'SELECT avg(income * income * income) FROM mock.members',
    'SELECT sum(income::integer * 1000000) FROM mock.members',
    'SELECT corr(income, age) FROM mock.members WHERE code = -5',
    'SELECT stddev(income) FROM mock.members WHERE secret AND NOT secret',
    'SELECT median(income) FROM mock.members WHERE code < 0',
    // What is hard for one person's rows alone: patterns, joins that multiply, groups of what is multiplied.
    `SELECT count(*) FROM mock.members WHERE (CASE WHEN age = 18 AND code = 100000 THEN '${'a'.repeat(2000)}' ELSE 'b' END) LIKE '%_a%_a%_a%_a%_a%_a%_a%b'`,
    'SELECT sum(sin(n * m * k)) FROM mock.members w JOIN range(1000) a(n) ON w.code = 100000 JOIN range(1000) b(m) ON w.code = 100000 JOIN range(1000) c(k) ON w.code = 100000',
    'SELECT count(*) FROM mock.members WHERE contributor IN (SELECT contributor FROM mock.members w JOIN range(1000) a(n) ON w.code = 100000 JOIN range(1000) b(m) ON w.code = 100000 GROUP BY contributor, n, m HAVING sum(sin(n * m)) > 5)',
  ]
  const extreme: Row = {
    contributor: 999_999,
    code: 100_000,
    age: 18,
    country: 'xx',
    secret: true,
    income: 200_000,
  }
  const other = await arena.engineOf([
    ...arena.data.rows,
    extreme,
    { ...extreme, contributor: 999_998, age: null, income: null },
  ])
  let told = 0
  try {
    for (const sql of statements) {
      const outcomes: string[] = []
      for (const engine of [arena.engine, other]) {
        try {
          const plan = await planQuery({
            sql,
            pools: [pool],
            budget: { epsilon: arena.privacy.perJob.epsilon, delta: 0 },
          })
          await executePlan({ plan, engine, random: arena.random })
          outcomes.push('answered')
        } catch (error) {
          outcomes.push(error instanceof Error && 'code' in error ? String(error.code) : 'failed')
        }
      }
      if (outcomes[0] !== outcomes[1]) told += 1
    }
  } finally {
    await other.close()
  }
  return {
    attack: 'overflow',
    rate: told / statements.length,
    tries: statements.length,
    about: 'statements whose error tells data sets apart',
    limit: 0,
  }
}

/**
 * Does the time of an answer tell whether somebody is in the pool? Both tables are in one engine, so that nothing but the
 * victim's row is different; which is asked is random.
 */
const timing: Attack = async (arena) => {
  const below = dice(arena.random)
  const victim = arena.data.victims[0]
  const engine = await arena.engineOf(
    arena.data.rows,
    arena.data.rows.filter((row) => row['contributor'] !== victim?.contributor),
  )
  const plans = await Promise.all(
    ['mock', 'twin'].map((name) =>
      planQuery({
        sql: `SELECT country, count(*), avg(income) FROM ${name}.members GROUP BY country`,
        pools: [mockPool(arena.privacy, name)],
        budget: { epsilon: arena.privacy.perJob.epsilon, delta: 0 },
      }),
    ),
  )
  const times: { readonly present: boolean; readonly took: number }[] = []
  const warm = 20
  try {
    for (let turn = 0; turn < warm + Math.max(80, arena.trials * 2); turn += 1) {
      const present = below(2) === 0
      const plan = plans[present ? 0 : 1]
      if (plan === undefined) break
      const started = arena.clock()
      await executePlan({ plan, engine, random: arena.random })
      if (turn >= warm) times.push({ present, took: arena.clock() - started })
    }
  } finally {
    await engine.close()
  }
  const sorted = [...times].sort((left, right) => left.took - right.took)
  const median = sorted[Math.floor(sorted.length / 2)]?.took ?? 0
  const right = times.filter(({ present, took }) => present === took > median).length / times.length
  return {
    attack: 'timing',
    rate: Math.max(right, 1 - right),
    tries: times.length,
    about: 'right about membership by the time of an answer, the better of both ways',
    limit: 0.75,
  }
}

/** All attacks, in the order of the report. */
export const attacks: readonly Attack[] = [
  reconstruction,
  membership,
  differencing,
  tracker,
  sybil,
  averaging,
  overflow,
  timing,
]
