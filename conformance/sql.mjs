// Attack statements (shared/data/sql/attacks.json): every REJECT item must be refused before data is touched. There is
// no engine here at all, so nothing can be touched; what is planned would run on the noised path.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { planQuery, QueryError } from '@sealpool/query'

const digest = `sha256:${'0'.repeat(64)}`
const whole = (name, min, max, use) => ({ name, type: 'integer', min, max, nullable: false, use })
const categories = (name, values) => ({
  name,
  type: 'text',
  values,
  nullable: false,
  use: ['group', 'filter'],
})

/** The policies that a pool with the tables of attack-schema.sql would have. */
const tables = {
  d12: [
    {
      name: 'members',
      rowsPerContributor: 1,
      columns: [
        whole('age', 18, 77, ['measure', 'filter']),
        categories('country', ['US', 'DE', 'FR', 'JP']),
        { name: 'hiv', type: 'boolean', nullable: false, values: [false, true], use: ['group', 'filter'] },
        whole('income', 20_000, 200_000, ['measure', 'filter']),
        { name: 'email', type: 'text', nullable: false, use: [] },
      ],
    },
    {
      name: 'fitness',
      rowsPerContributor: 20,
      columns: [
        { name: 'day', type: 'text', nullable: false, use: ['filter'] },
        whole('steps', 0, 20_000, ['measure', 'filter']),
        categories('activity_level', ['low', 'mid', 'high']),
        whole('heart_rate', 40, 160, ['measure', 'filter']),
        { name: 'zip', type: 'text', nullable: false, use: [] },
      ],
    },
  ],
  d7: [
    {
      name: 'spend',
      rowsPerContributor: 12,
      columns: [
        whole('month', 0, 11, ['filter']),
        categories('category', ['food', 'rent', 'health']),
        {
          name: 'amount',
          type: 'decimal',
          decimals: 2,
          min: 0,
          max: 1000,
          nullable: false,
          use: ['measure', 'filter'],
        },
      ],
    },
  ],
}

function policy(name, other) {
  return {
    format: 'sealpool/pool-policy',
    version: 1,
    name,
    description: 'attack schema',
    purposes: ['research'],
    attestation: {},
    code: { poc: digest, refiner: digest, computations: [] },
    tables: tables[name],
    privacy: {
      accounting: 'basic',
      epsilon: 6,
      delta: 1e-6,
      perJob: { epsilon: 2, delta: 1e-6 },
      minimumContributors: 25,
      maximumGroups: 200,
    },
    joins: { allowed: true, with: [other] },
    economics: { price: '1', poolTokenBurn: '1' },
  }
}

const pools = [
  { name: 'd12', address: `0x${'1'.repeat(40)}`, policy: policy('d12', 'd7') },
  { name: 'd7', address: `0x${'2'.repeat(40)}`, policy: policy('d7', 'd12') },
]

/** The plan of one statement, or the code of its refusal. Anything but a QueryError is a fault and goes on. */
async function plan(sql) {
  try {
    return { plan: await planQuery({ sql, pools, grant: {}, budget: { epsilon: 1, delta: 0 } }), code: null }
  } catch (error) {
    if (error instanceof QueryError) return { plan: null, code: error.code }
    throw error
  }
}

/** A planned statement is private when every statistic has noise and every pool it reads is charged. */
function isPrivate(entry) {
  const noisy = entry.statistics.every(
    ({ scale, sensitivity }) => BigInt(scale.numerator) > 0n && BigInt(sensitivity) > 0n,
  )
  const charged = entry.program.sources.every(({ pool }) =>
    entry.pools.some(({ name, charge }) => name === pool && charge.epsilon === 1),
  )
  return noisy && charged && entry.statistics.length === entry.program.statistics.length
}

/**
 * Runs the attack statements of a folder.
 *
 * The attacks call the contributor `wallet`; here it is the column `contributor`, so each item is planned both as it
 * is written and with the contributor's name in place of `wallet`.
 *
 * @returns how many items agree with the decision that a planner must take, and how many differ
 */
export async function run({ data, print }) {
  const file = join(data, 'attacks.json')
  if (!existsSync(file)) {
    print(`sql: ${file} is missing; give the folder with --data`)
    return { agree: 0, differ: 1 }
  }
  const items = JSON.parse(readFileSync(file, 'utf8'))
  const counts = {}
  const count = (kind) => {
    counts[kind] ??= { agree: 0, differ: 0, notYet: 0, total: 0 }
    return counts[kind]
  }
  for (const item of items) {
    const entry = count(item.decision)
    entry.total += 1
    const forms = [item.sql, item.sql.replace(/\bwallet\b/g, 'contributor')]
    if (item.decision === 'REJECT') {
      // Every statement of the item must be refused, in both forms.
      let missed = false
      for (const form of forms) {
        const results = await Promise.all(form.split(';;').map((part) => plan(part)))
        if (results.some(({ code }) => code === null)) missed = true
      }
      if (missed) {
        entry.differ += 1
        print(`REJECT ${item.id}: planned, should be refused: ${item.sql}`)
      } else entry.agree += 1
      continue
    }
    const results = await Promise.all(forms[1].split(';;').map((part) => plan(part)))
    const refused = results.find(({ code }) => code !== null)
    if (refused !== undefined) {
      entry.notYet += 1
      print(`${item.decision} ${item.id}: not supported yet (${refused.code})`)
    } else if (results.every(({ plan: made }) => isPrivate(made))) entry.agree += 1
    else {
      entry.differ += 1
      print(`${item.decision} ${item.id}: planned without noise or charge: ${item.sql}`)
    }
  }
  let differ = 0
  let agree = 0
  for (const [kind, entry] of Object.entries(counts)) {
    const notYet = entry.notYet > 0 ? ` (${entry.notYet} not supported yet, refused)` : ''
    print(`${kind}: ${entry.agree} agree, ${entry.differ} differ${notYet}`)
    agree += entry.agree
    differ += entry.differ
  }
  return { agree, differ }
}
