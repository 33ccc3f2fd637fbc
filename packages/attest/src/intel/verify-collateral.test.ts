import { describe, expect, it } from 'vitest'
import { at, simulator } from '../testing/fixture.js'
import { verifyCollateral } from '../with-platform.js'
import type { Collateral } from './collateral.js'

// Collateral put together from good parts, one of them of another day or with another signature.

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
})
