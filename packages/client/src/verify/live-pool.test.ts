import { digestOf, type JsonObject, type SignedStatement } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { at, deployment, node, nonce, policy, pool, simulatedNode } from '../testing/simulated-pool.js'
import { verifyPool } from './verified-pool.js'

const verify = (live: SignedStatement | JsonObject | null) =>
  verifyPool({
    policy,
    pool,
    chainId: deployment.chainId,
    nodeRegistry: deployment.nodeRegistry,
    served: { ...node.answer(), live: live as JsonObject | null },
    evidence: node.evidence(),
    nonce,
    chain: node.facts(),
    at,
  })
const problem = (live: SignedStatement | JsonObject) =>
  verify(live).checks.find(({ id, result }) => id === 'live' && result === 'fail')?.detail

describe('a pool whose node keeps no copies', () => {
  test('is live by the word of its node alone', () => {
    expect(verify(node.liveStatement())).toMatchObject({ ok: true, pool: { keep: 'live' } })
    expect(verify(null)).toMatchObject({ ok: true, pool: { keep: 'escrow' } })
    expect(verify(null).checks.map(({ id }) => id)).not.toContain('live')
  })

  test.each([
    ['of another node', simulatedNode(8).liveStatement(), /signature/],
    ['of other settings of the node', node.liveStatement({ keySet: digestOf('before') }), /another keySet/],
    ['on another pool', node.liveStatement({ pool: `0x${'12'.repeat(20)}` }), /another pool/],
    ['on something else', node.statement(), /something else/],
    ['that is none', { live: true }, /not a signed statement/],
  ])('error: a word %s', (_, live, why) => {
    expect(problem(live)).toMatch(why)
    expect(verify(live).ok).toBe(false)
  })
})
