import { type AttestationPolicy, measurementDigest, parseSnpReport } from '@sealpool/attest'
import { createAmdSimulator, createSimulator } from '@sealpool/attest/simulator'
import { encodeHex, platformRandom } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { listedNodes, quotesOf, simulatorPolicy } from '../testing/peer-node.js'
import { requireMeasurementAllowed } from './attest-peer.js'
import { judgeQuote } from './judge-quote.js'

const at = new Date()
const reportData = new Uint8Array(64).map((_, index) => index)
const intel = createSimulator({ random: platformRandom, at })
const amd = createAmdSimulator({ random: platformRandom, at, product: 'Turin' })
const pem = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`
const snpCollateral = {
  certificates: amd.certificates().map(pem).join(''),
  crl: encodeHex(amd.crl(at)),
}
const evidencePolicy: AttestationPolicy = {
  ...simulatorPolicy(intel),
  roots: [intel.rootDigest, amd.rootDigest],
  snp: { minimumTcb: { Turin: { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 } } },
}
const judge = (change: Partial<Parameters<typeof judgeQuote>[0]>) =>
  judgeQuote({
    quote: intel.quote({ reportData }),
    collateral: intel.collateral(at),
    reportData,
    evidencePolicy,
    simulated: true,
    at,
    place: 'asker',
    ...change,
  })
const refused = expect.objectContaining({ code: 'PEER_NOT_ATTESTED', place: 'asker' })

describe('a bare quote', () => {
  it('of a TDX guest says what runs there', () => {
    expect(judge({})).toEqual({ measurement: quotesOf(intel).measurement, simulated: true })
  })

  it('of an SEV-SNP guest says what runs there', () => {
    const quote = amd.report({ reportData })
    const { measurement, hostData } = parseSnpReport(quote)
    expect(judge({ quote, collateral: snpCollateral })).toEqual({
      measurement: measurementDigest({ measurement: encodeHex(measurement), hostData: encodeHex(hostData) }),
      simulated: true,
    })
  })

  it('is refused over other data, with other collateral, of another maker, late, or when it is none', () => {
    const snp = { quote: amd.report({ reportData }), collateral: snpCollateral }
    for (const change of [
      { reportData: new Uint8Array(64) },
      { ...snp, reportData: new Uint8Array(64) },
      { collateral: {} },
      { collateral: undefined },
      { ...snp, collateral: {} },
      { ...snp, collateral: { ...snpCollateral, certificates: '' } },
      { ...snp, collateral: intel.collateral(at) },
      { collateral: snpCollateral },
      { evidencePolicy: { ...evidencePolicy, roots: [amd.rootDigest] } },
      { evidencePolicy: { ...evidencePolicy, allowSimulator: false } },
      { simulated: false },
      { ...snp, simulated: false },
      { at: new Date(at.getTime() + 90 * 86_400_000) },
      { quote: new Uint8Array(0) },
      { quote: platformRandom(2_000) },
      { quote: intel.quote({ reportData, defect: 'tampered-signature' }) },
      {
        evidencePolicy: {
          ...evidencePolicy,
          measurements: [{ name: 'x', mrTd: `0x${'00'.repeat(48)}` as const }],
        },
      },
    ])
      expect(() => judge(change)).toThrow(refused)
  })
})

it('code that the chain does not allow is refused by its number', async () => {
  const chain = listedNodes()
  const { measurement } = quotesOf(intel)
  await expect(requireMeasurementAllowed(chain, measurement, 'asker')).rejects.toEqual(refused)
  chain.allowed.add(measurement)
  await expect(requireMeasurementAllowed(chain, measurement, 'asker')).resolves.toBeUndefined()
})
