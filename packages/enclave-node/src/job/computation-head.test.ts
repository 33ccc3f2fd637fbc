import { parseJobManifest } from '@sealpool/compute'
import type { JsonObject } from '@sealpool/crypto'
import { parsePoolPolicy } from '@sealpool/privacy'
import { expect, it } from 'vitest'
import type { ServedPool } from '../ingest/served-pool.js'
import { manifest, pool } from '../testing/job-fixture.js'
import { addressOfDigit } from '../testing/served-pool-fixture.js'
import { planJob } from './plan-job.js'

const tables = { pay: 'workers', more: 'others' }
/** Two pools that may be joined. */
const [pay, more] = (['pay', 'more'] as const).map((name, index): ServedPool => {
  const [other] = ['more', 'pay'].filter((one) => one !== name)
  const policy = {
    ...pool.policy,
    name,
    code: { ...pool.policy.code, computations: ['linear-regression'] },
    tables: [{ ...pool.policy.tables[0], name: tables[name] }],
    joins: { allowed: true, with: [other ?? ''] },
  } as unknown as JsonObject
  return { ...pool, name, address: addressOfDigit(index === 0 ? 'a' : 'b'), policy: parsePoolPolicy(policy) }
})
if (pay === undefined || more === undefined) throw new Error('there are two')

it('a regression over two pools says what it charges, reads and costs in each', async () => {
  const asked = manifest({
    kind: 'compute',
    query: null,
    pools: [pay, more].map(({ address, name }) => ({ address, name })),
    compute: {
      computation: 'linear-regression',
      parameters: {
        target: { pool: 'pay', table: 'workers', column: 'wage' },
        features: [
          { name: 'theirs', pool: 'more', table: 'others', column: 'wage', transform: 'identity' },
          { name: 'a', pool: 'more', table: 'others', column: 'sector', transform: 'indicator', equals: 'a' },
        ],
      },
    },
    privacy: { epsilon: 2, delta: 2.5e-7 },
  })
  const planned = await planJob(parseJobManifest(asked), [pay, more])
  expect(planned.charges.map((one) => [one.pool.name, one.charge.epsilon, one.leaves])).toEqual([
    ['pay', 2, ['pay.workers']],
    ['more', 2, ['more.others']],
  ])
  expect([...planned.reached].sort()).toEqual(['more.others.sector', 'more.others.wage', 'pay.workers.wage'])
  expect(planned).not.toHaveProperty('program')
  expect(planned.explanation).toMatchObject({
    computation: 'linear-regression',
    code: planned.code,
    minimumContributors: 2,
    charge: { [pay.address]: { epsilon: 2 }, [more.address]: { epsilon: 2 } },
  })
})
