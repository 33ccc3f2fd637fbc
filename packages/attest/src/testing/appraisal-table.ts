import { expect, it } from 'vitest'
import { appraise } from '../policy/appraise.js'
import type { AttestationPolicy } from '../policy/policy.js'
import { createAmdSimulator } from '../simulator/index.js'
import type { Claims, TdxClaims, Verdict } from '../verdict/verdict.js'
import { verifyQuote, verifySnpReport } from '../with-platform.js'
import { at, mrTd, seededRandom, simulator, trust } from './fixture.js'

// A verdict that passes, and a policy that allows it; each row changes one thing on either side. "unknown" is what the evidence
// does not tell: a policy that asks for it is never satisfied by silence.

export const hex = (fill: number, length: number) =>
  `0x${fill.toString(16).padStart(2, '0').repeat(length)}` as const

export type Change<C extends Claims> = { readonly claims?: Partial<C>; readonly verdict?: Partial<Verdict> }
export interface Row<C extends Claims, R> {
  readonly rule: R
  readonly pass?: Change<C>
  readonly fail: Change<C>
  readonly unknown?: Change<C>
  readonly says: RegExp
}

export const changed = <C extends Claims>(verdict: Verdict, change: Change<C> = {}): Verdict => ({
  ...verdict,
  ...change.verdict,
  claims: { ...verdict.claims, ...change.claims } as Claims,
})

export function check<C extends Claims, R>(
  name: string,
  verdict: Verdict,
  row: Row<C, R>,
  policy: AttestationPolicy,
): void {
  it(`${name}: pass`, () => {
    expect(appraise(changed(verdict, row.pass), policy)).toEqual({ answer: 'allowed', reasons: [] })
  })
  for (const which of ['fail', 'unknown'] as const) {
    const change = row[which]
    if (change === undefined) continue
    it(`${name}: ${which}`, () => {
      const { answer, reasons } = appraise(changed(verdict, change), policy)
      expect(answer).toBe('not-allowed')
      expect(reasons.join(' ')).toMatch(row.says)
      expect(reasons).toHaveLength(1)
    })
  }
}

// --- TDX ---

export const tdx = verifyQuote(simulator.quote({ reportData: new Uint8Array(64).fill(7), mrTd }), {
  collateral: simulator.collateral(at),
  at,
  trustedRoots: [simulator.rootDigest],
})
export const claims = tdx.claims as TdxClaims
export const [measured] = trust.measurements

// --- SEV-SNP ---

export const amd = createAmdSimulator({ random: seededRandom('policy'), at, product: 'Turin' })
export const snp = verifySnpReport(amd.report({ reportData: new Uint8Array(64) }), {
  certificates: amd.certificates(),
  crl: amd.crl(at),
  at,
  trustedRoots: [amd.rootDigest],
})
export type Snp = typeof snp.claims
export const minimum = { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81 }
