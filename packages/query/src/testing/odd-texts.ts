import type { PlanPool } from '../catalogue/catalogue.js'
import type { SqlEngine } from '../engine/engine.js'
import { planQuery } from '../plan/plan-query.js'
import { exactNumbers } from './exact-numbers.js'
import { noiselessRules, testPolicy } from './pools.js'

const texts = [
  'ÄÖÜ é',
  ' Straße ',
  '  ',
  '',
  '\tTab\t',
  'a🤦🏼‍♂️b',
  'İstanbul',
  "o'CLOCK",
  'back\\slash',
  '%_',
  'ÀB',
  null,
]

const table = {
  name: 'words',
  rowsPerContributor: 1,
  columns: [
    {
      name: 'w',
      type: 'text' as const,
      nullable: true,
      use: ['group' as const, 'filter' as const],
      open: true,
    },
  ],
}
const pools: readonly PlanPool[] = [
  {
    name: 'odd',
    address: `0x${'9'.repeat(40)}`,
    policy: testPolicy('odd', [table], {
      privacy: { ...noiselessRules, delta: 1e-4, perJob: { epsilon: 1e6, delta: 1e-4 } },
    }),
  },
]

const expressions = [
  'w',
  'lower(w)',
  'upper(w)',
  'trim(w)',
  'left(w, 2)',
  'substring(w, 2)',
  'substring(w, 3, 2)',
  'substring(w, 1, 0)',
  "w || '\\' || lower(w)",
  "trim(upper(w || ' '))",
]

/** Texts on which engines like to disagree, read back by what they are grouped and compared with. */
export async function oddTexts(engine: SqlEngine) {
  await engine.load({
    name: 'odd.words',
    columns: table.columns,
    rows: texts.map((w, contributor) => ({ contributor, w })),
  })
  const answers: unknown[] = []
  for (const expression of expressions) {
    for (const sql of [
      `SELECT ${expression} AS k, count(*) FROM odd.words GROUP BY 1`,
      `SELECT count(*), count(DISTINCT ${expression}) FROM odd.words WHERE length(${expression}) > 3`,
      `SELECT count(*) FROM odd.words WHERE ${expression} LIKE '%a_%' OR ${expression} = ' '`,
    ]) {
      const plan = await planQuery({ sql, pools, budget: { epsilon: 1e6, delta: 1e-4 } })
      const numbers = await exactNumbers(plan, engine)
      answers.push([sql, numbers.map((groups) => groups.map((group) => JSON.stringify(group)).sort())])
    }
  }
  return answers
}
