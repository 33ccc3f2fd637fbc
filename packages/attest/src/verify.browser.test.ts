import { platformRandom } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { nativeSignatures, prepareCollateral, verifyQuote, verifySnpReport, withWebCrypto } from './index.js'
import { createAmdSimulator, createSimulator } from './simulator/index.js'

const at = new Date('2026-11-20T12:00:00Z')
const reportData = new Uint8Array(64)

describe('in a browser', () => {
  it('there is no native port, and portable code and WebCrypto give the same verdict on TDX quotes', async () => {
    expect(nativeSignatures()).toBeUndefined()
    const simulator = createSimulator({ random: platformRandom, at })
    const options = { collateral: simulator.collateral(at), at, trustedRoots: [simulator.rootDigest] }
    for (const defect of [undefined, 'tampered-body', 'tampered-qe-report'] as const) {
      const quote = simulator.quote({ reportData, ...(defect === undefined ? {} : { defect }) })
      const portable = verifyQuote(quote, options)
      expect(portable.ok).toBe(defect === undefined)
      expect(
        await withWebCrypto((verifySignature) => verifyQuote(quote, { ...options, verifySignature })),
      ).toEqual(portable)
      const prepared = prepareCollateral(options.collateral)
      expect(verifyQuote(quote, { ...options, collateral: prepared })).toEqual(portable)
    }
  })

  it('the same holds for SEV-SNP reports', async () => {
    const simulator = createAmdSimulator({ random: platformRandom, at, product: 'Turin' })
    const options = {
      certificates: simulator.certificates(),
      crl: simulator.crl(at),
      at,
      trustedRoots: [simulator.rootDigest],
    }
    for (const defect of [undefined, 'tampered-signature'] as const) {
      const report = simulator.report({ reportData, ...(defect === undefined ? {} : { defect }) })
      const portable = verifySnpReport(report, options)
      expect(portable.ok).toBe(defect === undefined)
      const native = await withWebCrypto((verifySignature) =>
        verifySnpReport(report, { ...options, verifySignature }),
      )
      expect(native).toEqual(portable)
    }
  })
})
