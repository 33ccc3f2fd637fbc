import { describe, expect, it } from 'vitest'
import type { Collateral } from '../intel/collateral.js'
import { createAmdSimulator } from '../simulator/index.js'
import { at, quote, seededRandom, simulator } from '../testing/fixture.js'
import { prepareCollateral, verifyQuote, verifySnpReport } from '../with-platform.js'
import { withWebCrypto } from './web-crypto.js'

const collateral = simulator.collateral(at)
const options = { at, trustedRoots: [simulator.rootDigest] }

describe('withWebCrypto', () => {
  it('gives the verdict of every other port, good and bad', async () => {
    const cases: [Uint8Array, Collateral][] = [
      [quote, collateral],
      [simulator.quote({ reportData: new Uint8Array(64), defect: 'tampered-body' }), collateral],
      [simulator.quote({ reportData: new Uint8Array(64), defect: 'tampered-qe-report' }), collateral],
      [quote, simulator.collateral(at, { defect: 'tampered-crl' })],
      [quote, simulator.collateral(at, { defect: 'tampered-tcb-info' })],
    ]
    for (const [bytes, given] of cases) {
      const verdict = await withWebCrypto((verifySignature) =>
        verifyQuote(bytes, { ...options, collateral: given, verifySignature }),
      )
      expect(verdict).toEqual(verifyQuote(bytes, { ...options, collateral: given }))
    }
  })

  it('prepares collateral and verifies SEV-SNP reports', async () => {
    const prepared = await withWebCrypto((verifySignature) =>
      prepareCollateral(collateral, { verifySignature }),
    )
    expect(verifyQuote(quote, { ...options, collateral: prepared }).ok).toBe(true)
    const amd = createAmdSimulator({ random: seededRandom('web'), at })
    const report = amd.report({ reportData: new Uint8Array(64) })
    const given = { certificates: amd.certificates(), crl: amd.crl(at), at, trustedRoots: [amd.rootDigest] }
    for (const bytes of [
      report,
      amd.report({ reportData: new Uint8Array(64), defect: 'tampered-signature' }),
    ]) {
      const verdict = await withWebCrypto((verifySignature) =>
        verifySnpReport(bytes, { ...given, verifySignature }),
      )
      expect(verdict).toEqual(verifySnpReport(bytes, given))
    }
  })

  it('passes errors on, and ends when the questions never do', async () => {
    await expect(
      withWebCrypto(() => verifyQuote(new Uint8Array(3), { ...options, collateral })),
    ).rejects.toThrow(/only versions 3, 4 and 5/)
    let count = 0
    const endless = withWebCrypto((verify) => {
      count += 1
      return verify(new Uint8Array(65), Uint8Array.of(count), new Uint8Array(64))
    })
    await expect(endless).rejects.toMatchObject({ code: 'BAD_ARGUMENT' })
  })
})
