import {
  type AttestationPolicy,
  AttestError,
  appraise,
  type Collateral,
  measurementDigest,
  parseCollateral,
  verifyQuote,
  verifySnpReport,
} from '@sealpool/attest'
import { decodeHex, encodeHex, type Hex } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import { teeOf } from '../evidence/quote-provider.js'
import type { PeerRules } from './attest-peer.js'

const snpCollateralSchema = z.strictObject({
  certificates: z.string().max(65_536),
  crl: z.string().regex(/^0x([0-9a-f]{2}){1,65536}$/),
})

/**
 * Judges a bare quote over report data of one's own: of somebody who has no key set yet.
 * @param options `quote`: TDX quote or SEV-SNP report; `collateral`: JSON of unknown origin, that anybody may bring since it is signed
 * and dated; `reportData`: the 64 bytes that it must be over; `at`: the moment; `place`: who is meant, for errors
 * @returns what runs there, in the number that the node registry lists
 * @throws NodeError `PEER_NOT_ATTESTED` with the reason
 */
export function judgeQuote(
  options: PeerRules & {
    readonly quote: Uint8Array
    readonly collateral: unknown
    readonly reportData: Uint8Array
    readonly at: Date
    readonly place: string
  },
): { readonly measurement: Hex; readonly simulated: boolean } {
  const { quote, at, place, evidencePolicy } = options
  const refuse = (why: string, cause?: unknown) => new NodeError('PEER_NOT_ATTESTED', place, why, { cause })
  const allowSimulator = evidencePolicy.allowSimulator && options.simulated
  const trustedRoots = allowSimulator
    ? evidencePolicy.roots.filter((root) => root !== 'intel' && root !== 'amd')
    : []
  try {
    const verdict =
      teeOf(quote) === 'tdx'
        ? verifyQuote(quote, { collateral: collateralOf(options.collateral), at, trustedRoots })
        : verifySnpReport(quote, { ...snpCollateralOf(options.collateral), at, trustedRoots })
    const { claims } = verdict
    if (claims.tee === 'sgx') throw refuse('its quote is not that of a confidential VM')
    const measured: AttestationPolicy['measurements'][number] =
      claims.tee === 'tdx'
        ? { name: 'as the chain decides', mrTd: claims.mrTd, rtmrs: [...claims.rtmrs] }
        : { name: 'as the chain decides', measurement: claims.measurement, hostData: claims.hostData }
    const { answer, reasons } = appraise(verdict, {
      ...evidencePolicy,
      allowSimulator,
      reportData: encodeHex(options.reportData),
      measurements: evidencePolicy.measurements.length === 0 ? [measured] : evidencePolicy.measurements,
    })
    if (answer !== 'allowed') throw refuse(`${answer}: ${reasons[0] ?? 'no reason'}`)
    return { measurement: measurementDigest(claims), simulated: verdict.simulated }
  } catch (cause) {
    if (cause instanceof AttestError) throw refuse(`its quote cannot be read (${cause.code})`, cause)
    throw cause
  }
}

function collateralOf(json: unknown): Collateral {
  return parseCollateral(json)
}

function snpCollateralOf(json: unknown): { readonly certificates: string; readonly crl: Uint8Array } {
  const read = snpCollateralSchema.safeParse(json)
  if (!read.success)
    throw new AttestError('BAD_COLLATERAL', 'collateral', 'Not the collateral of an SEV-SNP report')
  return { certificates: read.data.certificates, crl: decodeHex(read.data.crl as Hex) }
}
