import { describe, expect, it } from 'vitest'
import { changed, claims, hex, minimum, snp, tdx } from '../testing/appraisal-table.js'
import { trust } from '../testing/fixture.js'
import type { Verdict } from '../verdict/verdict.js'
import { appraise } from './appraise.js'
import type { AttestationPolicy } from './policy.js'

describe('answers', () => {
  const broken = (id: string, result: 'fail' | 'not-checked') =>
    changed(tdx, {
      verdict: { ok: false, checks: tdx.checks.map((one) => (one.id === id ? { ...one, result } : one)) },
    })
  it.each([
    ['quote-signature', 'fail', 'false'],
    ['quote-signature', 'not-checked', 'not-proved'],
    ['not-revoked', 'fail', 'false'],
    ['certificate-dates', 'fail', 'not-proved'],
    ['crl-dates', 'fail', 'not-proved'],
    ['collateral-dates', 'fail', 'not-proved'],
    ['collateral', 'fail', 'not-proved'],
    ['platform-match', 'fail', 'not-proved'],
    ['collateral-chains', 'fail', 'not-proved'],
    ['root-crl', 'fail', 'not-proved'],
    ['pck-crl', 'fail', 'not-proved'],
    ['tcb-info-signature', 'fail', 'not-proved'],
    ['qe-identity-signature', 'fail', 'not-proved'],
    ['certificates', 'fail', 'not-proved'],
    ['pck-chain', 'fail', 'false'],
    ['qe-identity', 'fail', 'false'],
    ['tdx-module', 'fail', 'false'],
  ] as const)('%s %s is %s', (id, result, answer) => {
    expect(appraise(broken(id, result), trust).answer).toBe(answer)
  })

  it('certificates of the quote itself that cannot be read are false, a module that the TCB info does not know is not proved', () => {
    const checks = broken('certificates', 'fail').checks
    const unread = changed(tdx, { verdict: { ok: false, checks }, claims: { platform: null } })
    expect(appraise(unread, trust).answer).toBe('false')
    const module = { ...broken('tdx-module', 'fail'), tcbStatus: 'TCB_NOT_SUPPORTED' as const }
    expect(appraise(module, trust).answer).toBe('not-proved')
  })

  it.each([
    ['certificates', 'not-proved'],
    ['crl', 'not-proved'],
    ['report-signature', 'false'],
    ['platform-match', 'false'],
  ] as const)('SEV-SNP %s fail is %s', (id, answer) => {
    const one = { id, title: id, result: 'fail', detail: 'x' } as const
    const checks = [...snp.checks.filter((check) => check.id !== id), one]
    expect(appraise({ ...snp, ok: false, checks }, trust).answer).toBe(answer)
  })

  it('a verdict that is not ok is never allowed, even when no check says why', () => {
    expect(appraise({ ...tdx, ok: false }, trust).answer).toBe('not-proved')
  })

  it('a root that nobody named and a refused TCB level are not allowed, and not false', () => {
    expect(appraise(broken('tcb-level', 'fail'), { ...trust, acceptedTcbStatuses: [] }).answer).toBe(
      'not-allowed',
    )
    expect(appraise(broken('root-trusted', 'fail'), { ...trust, roots: [] }).answer).toBe('not-allowed')
  })
})

describe('a verdict that was kept, cut or made up', () => {
  const sgxOnly = {
    tee: 'sgx',
    mrEnclave: hex(1, 32),
    mrSigner: hex(2, 32),
    isvProdId: 5,
    isvSvn: 7,
    attributes: hex(0, 16),
  }
  const sgx = {
    ...tdx,
    tee: 'sgx',
    checks: tdx.checks.filter(({ id }) => id !== 'tdx-module'),
    claims: { ...claims, ...sgxOnly },
  } as unknown as Verdict
  const kinds = { tdx, sgx, snp } as const
  const rules: AttestationPolicy = {
    ...trust,
    roots: [...trust.roots, ...Object.values(kinds).flatMap(({ claims }) => claims.root?.certificate ?? [])],
    snp: { minimumTcb: { Turin: minimum } },
  }
  it.each(Object.entries(kinds))('of %s is no proof without one answer to each question', (_, verdict) => {
    const answer = (change: object) => appraise({ ...verdict, ...change } as Verdict, rules).answer
    expect(answer({})).toBe(verdict === tdx ? 'allowed' : 'not-allowed')
    expect(answer({ checks: [] })).toBe('not-proved')
    for (const [i, check] of verdict.checks.entries()) {
      expect(answer({ checks: verdict.checks.filter((one) => one !== check) })).toBe('not-proved')
      expect(answer({ checks: [...verdict.checks, check] })).toBe('not-proved')
      const renamed = verdict.checks.map((one, j) => (i === j ? { ...one, id: 'x' } : one))
      expect(answer({ checks: renamed })).toBe('not-proved')
    }
    for (const ok of ['false', 1, undefined, null, false]) expect(answer({ ok })).not.toBe('allowed')
  })

  it.each<unknown>([
    null,
    undefined,
    'x',
    [],
    {},
    { ok: true },
    { ...tdx, checks: {} },
    { ...tdx, claims: undefined },
  ])('is a typed error when it is none: %#', (verdict) => {
    expect(() => appraise(verdict as Verdict, trust)).toThrow(
      expect.objectContaining({
        name: 'AttestError',
        code: 'BAD_ARGUMENT',
        place: expect.stringMatching(/^verdict/),
      }),
    )
  })
})
