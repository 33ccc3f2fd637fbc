import { evidenceCheckTitles } from '@sealpool/attest'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { at, deployment, node, nonce, policy, pool } from '../testing/simulated-pool.js'
import { readinessSummary } from './readiness-summary.js'
import { verifyPool } from './verified-pool.js'

const { checks, summary, ok } = verifyPool({
  policy,
  pool,
  chainId: deployment.chainId,
  nodeRegistry: deployment.nodeRegistry,
  served: node.answer(),
  evidence: node.evidence(),
  nonce,
  chain: node.facts(),
  logged: { result: 'pass', detail: 'Entry 0' },
  at,
})

describe('a readiness in people’s words', () => {
  test('has six lines that all pass, and says loudly that a simulator answers', () => {
    expect(ok).toBe(true)
    expect(summary.map(({ id, result }) => `${id} ${result}`)).toEqual([
      'hardware pass',
      'code pass',
      'fresh pass',
      'keys pass',
      'policy pass',
      'registered pass',
    ])
    expect(summary[0]?.title).toMatch(/SIMULATOR.*no hardware/)
    expect(readinessSummary(checks, false)[0]?.title).toBe('Confidential hardware vouches for the node')
  })

  test('counts every check once', () => {
    expect(summary.flatMap((line) => line.checks).sort()).toEqual(checks.map(({ id }) => id).sort())
    const of = (id: string) => summary.find((line) => line.id === id)?.checks
    expect(of('code')).toEqual(['attestation-policy', 'measurement-on-chain', 'measurement-logged'])
    expect(of('fresh')).toEqual(['nonce'])
    expect(of('keys')).toEqual(['key-set', 'pool-key-statement', 'pool-key-on-chain'])
    expect(of('policy')).toEqual(['policy-on-chain'])
    expect(of('registered')).toEqual(['node-on-chain'])
    expect(Object.keys(evidenceCheckTitles)).toContain('attestation-policy')
  })

  test('passes exactly when all checks pass, and a line exactly when its checks do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('pass', 'fail', 'not-checked'), {
          minLength: checks.length,
          maxLength: checks.length,
        }),
        (results) => {
          const changed = checks.map(
            (check, index) => ({ ...check, result: results[index] ?? 'pass' }) as const,
          )
          for (const line of readinessSummary(changed, false)) {
            const own = changed.filter(({ id }) => line.checks.includes(id)).map(({ result }) => result)
            const expected = own.includes('fail')
              ? 'fail'
              : own.includes('not-checked')
                ? 'not-checked'
                : 'pass'
            expect(line.result).toBe(expected)
          }
        },
      ),
    )
  })

  test('gives the reasons of what failed, not of what was not reached behind it', () => {
    const changed = checks.map((check) =>
      check.id === 'key-set'
        ? { ...check, result: 'fail' as const, detail: 'other keys' }
        : check.id === 'pool-key-on-chain'
          ? { ...check, result: 'not-checked' as const, detail: 'not reached' }
          : check,
    )
    const line = readinessSummary(changed, false).find(({ id }) => id === 'keys')
    expect(line?.detail).toContain('other keys')
    expect(line?.detail).not.toContain('not reached')
  })

  test('gives the reasons of what was not checked when nothing failed', () => {
    const changed = checks.map((check) =>
      check.id === 'nonce' ? { ...check, result: 'not-checked' as const, detail: 'nobody asked' } : check,
    )
    const line = readinessSummary(changed, false).find(({ id }) => id === 'fresh')
    expect(line).toMatchObject({ result: 'not-checked', detail: expect.stringContaining('nobody asked') })
  })

  test('a line without any check is not a yes', () => {
    expect(readinessSummary([], false).every(({ result }) => result === 'not-checked')).toBe(true)
  })
})
