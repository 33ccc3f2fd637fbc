import { sha256Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { at, simulator } from '../testing/fixture.js'
import {
  generatedAt,
  generatedRoot,
  plainCase,
  writeGeneratedCollateral,
} from '../testing/generated-platform.js'
import { verifyCollateral } from '../with-platform.js'
import type { Collateral } from './collateral.js'

// Collateral put together from good parts, one of them of another day or with another signature.

const generated = (tee: 'tdx' | 'sgx') =>
  writeGeneratedCollateral(plainCase(tee === 'tdx' ? {} : { version: 3, bodyType: 1 }))
const day = 86_400_000
const later = (days: number) => new Date(at.getTime() + days * day)
const good = simulator.collateral(at)
const old = simulator.collateral(later(-60))
const young = simulator.collateral(later(3))
const ask = (change: Partial<Collateral>, moment = at) => {
  const verdict = verifyCollateral(
    { ...good, ...change },
    { at: moment, trustedRoots: [simulator.rootDigest] },
  )
  return { ...verdict, fails: verdict.checks.filter(({ result }) => result === 'fail') }
}

describe('verifyCollateral', () => {
  it('is ok for parts of different days that are all current, until the first of them is stale', () => {
    expect(ask({}).ok).toBe(true)
    const mixed = ask({ ...young, rootCaCrl: good.rootCaCrl }, later(4))
    expect([mixed.ok, mixed.nextUpdate]).toEqual([true, ask({}).nextUpdate])
    for (const name of ['pckCrl', 'tcbInfo', 'qeIdentity'] as const)
      expect(ask({ ...young, [name]: good[name] }, later(4)).nextUpdate).toBe(ask({}).nextUpdate)
  })

  it.each<[keyof Collateral, RegExp]>([
    ['rootCaCrl', /root revocation list/],
    ['pckCrl', /PCK revocation list/],
    ['tcbInfo', /TCB info/],
    ['qeIdentity', /QE identity/],
  ])('names the part that is stale, or not valid yet: %s', (name, says) => {
    for (const other of [old, young]) {
      const { ok, fails } = ask({ [name]: other[name] })
      expect([ok, fails.map(({ id }) => id)]).toEqual([false, ['current']])
      expect(fails[0]?.detail).toMatch(says)
    }
  })

  it('fails certificates that have ended, whatever stands in the documents', () => {
    const moment = later(3651)
    const { ok, fails } = ask(simulator.collateral(moment), moment)
    expect([ok, fails.map(({ id }) => id)]).toEqual([false, ['current']])
    expect(fails[0]?.detail).toMatch(/expired at/)
  })

  it.each(['tcbInfo', 'qeIdentity'] as const)('fails another signature of %s', (name) => {
    const changed = good[name].replace(/(.)"\}$/, (_, digit) => `${digit === '0' ? '1' : '0'}"}`)
    expect(changed).not.toBe(good[name])
    const { ok, fails } = ask({ [name]: changed })
    expect([ok, fails.map(({ id }) => id)]).toEqual([false, ['signatures']])
  })

  // The ids of what fails, in the order of the verdict: each of these is one check that nothing else stands in for.
  const tampered = (list: `0x${string}`): `0x${string}` =>
    `0x${list.slice(2, -1)}${list.endsWith('0') ? '1' : '0'}`
  it.each<[string, Collateral, string]>([
    ['another signature of the root’s list', { ...good, rootCaCrl: tampered(good.rootCaCrl) }, 'lists'],
    ['another signature of the PCK list', { ...good, pckCrl: tampered(good.pckCrl) }, 'lists'],
    [
      'a PCK list of another authority',
      simulator.collateral(at, { defect: 'crl-of-another-authority' }),
      'lists',
    ],
    ['a revoked authority', simulator.collateral(at, { defect: 'revoked-authority' }), 'lists'],
    ['a revoked signer', simulator.collateral(at, { defect: 'revoked-tcb-signing' }), 'lists'],
    [
      'a TCB info whose signer is another by its name',
      { ...good, tcbInfoIssuerChain: good.pckCrlIssuerChain },
      'names',
    ],
    [
      'an identity whose signer is another by its name',
      { ...good, qeIdentityIssuerChain: good.pckCrlIssuerChain },
      'names',
    ],
    [
      'a PCK list whose issuer is another by its name',
      { ...good, pckCrlIssuerChain: good.tcbInfoIssuerChain },
      'names',
    ],
    [
      'a TCB info of SGX beside an identity of TDX',
      simulator.collateral(at, { defect: 'sgx-tcb-info' }),
      'pair',
    ],
  ])('fails %s', (_, collateral, id) => {
    const { ok, fails } = ask(collateral)
    expect([ok, fails.map((check) => check.id)]).toEqual([false, expect.arrayContaining([id])])
  })

  it('takes the documents of one kind of platform only', () => {
    const [tdx, sgx] = [generated('tdx'), generated('sgx')]
    const pair = (info: Collateral, identity: Collateral) => {
      const { checks, about } = verifyCollateral(
        { ...info, qeIdentity: identity.qeIdentity, qeIdentityIssuerChain: identity.qeIdentityIssuerChain },
        { at: generatedAt, trustedRoots: [sha256Digest(generatedRoot)] },
      )
      return [about.tee, checks.find(({ id }) => id === 'pair')?.result]
    }
    expect(pair(tdx, tdx)).toEqual(['tdx', 'pass'])
    expect(pair(sgx, sgx)).toEqual(['sgx', 'pass'])
    expect(pair(tdx, sgx)).toEqual([null, 'fail'])
    expect(pair(sgx, tdx)).toEqual([null, 'fail'])
  })
})
