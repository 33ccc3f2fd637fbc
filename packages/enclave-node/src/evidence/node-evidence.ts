/**
 * The node's evidence: a quote over the digest of its key set and a nonce, with what a verifier needs beside it.
 * @module
 */
import { measurementDigest, type NodeEvidence, parseQuote, parseSnpReport } from '@sealpool/attest'
import {
  concatBytes,
  type Digest,
  decodeBase64Url,
  decodeHex,
  digestToBytes,
  encodeBase64Url,
  encodeHex,
  type Hex,
  sha256Digest,
} from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import type { StateStore } from '../state/state-store.js'
import { type QuoteProvider, teeOf } from './quote-provider.js'

/** Nonce of the evidence that is registered on the chain and travels with receipts. */
export const registrationNonce: Hex = `0x${'0'.repeat(64)}`

/** What a verifier asks for besides the quote. */
export interface AskedEvidence {
  readonly gpus: boolean
}

/** What gives evidence. */
export interface EvidenceSource {
  readonly simulated: boolean
  /** Digest of the registered quote, as receipts name it. */
  readonly quoteDigest: Digest
  /** What this machine is measured to run, in the number that the node registry lists. */
  readonly measurement: Hex
  /** Evidence with the registered quote and collateral that is current now. */
  registered(): Promise<NodeEvidence>
  /**
   * Fresh evidence over a verifier's nonce of 32 bytes.
   * @param asked `gpus`: with evidence of the machine's GPUs, where it has any; it costs a call to NVIDIA's service
   */
  fresh(nonce: Hex, asked?: AskedEvidence): Promise<NodeEvidence>
}

/**
 * Opens the node's evidence: the quote that verifiers register is taken once for each key set and kept, so that a
 * restart does not ask for another registration.
 * @param options hardware or simulator, the keys, and the store for the kept quote
 */
export async function openEvidence(options: {
  readonly provider: QuoteProvider
  readonly keys: NodeKeyRing
  readonly store: StateStore
}): Promise<EvidenceSource> {
  const { provider, keys, store } = options
  const evidence = (taken: Uint8Array, nonce: Hex) => evidenceOf(provider, keys, taken, nonce)
  const key = `quote ${provider.name} ${keys.keySetDigest}`
  const kept = await getMeta(store, key)
  const quote =
    kept === undefined ? await provider.quote(reportDataOf(keys, registrationNonce)) : decodeBase64Url(kept)
  if (kept === undefined) await setMeta(store, key, encodeBase64Url(quote))
  return {
    simulated: provider.simulated,
    quoteDigest: sha256Digest(quote),
    measurement: quotedMeasurement(quote),
    registered: () => evidence(quote, registrationNonce),
    fresh: (nonce, asked) => freshEvidence(provider, keys, nonce, asked),
  }
}

/**
 * Takes evidence over a nonce, of a node that need not have begun to work.
 * @param nonce 32 bytes, of whoever asks
 * @param asked what besides the quote
 * @throws NodeError `QUOTE_FAILED`
 */
export async function freshEvidence(
  provider: QuoteProvider,
  keys: NodeKeyRing,
  nonce: Hex,
  asked: AskedEvidence = { gpus: false },
): Promise<NodeEvidence> {
  const reportData = reportDataOf(keys, nonce)
  const evidence = await evidenceOf(provider, keys, await provider.quote(reportData), nonce)
  if (!asked.gpus || provider.gpus === undefined || evidence.tee !== 'tdx') return evidence
  return { ...evidence, gpu: await provider.gpus.evidence(reportData) }
}

function reportDataOf(keys: NodeKeyRing, nonce: Hex): Uint8Array {
  return concatBytes(digestToBytes(keys.keySetDigest), decodeHex(nonce))
}

async function evidenceOf(
  provider: QuoteProvider,
  keys: NodeKeyRing,
  quote: Uint8Array,
  nonce: Hex,
): Promise<NodeEvidence> {
  const tee = teeOf(quote)
  const collateral = await provider.collateral(quote)
  const fields = {
    format: 'sealpool/node-evidence',
    version: 1,
    quote: encodeBase64Url(quote),
    keySet: keys.keySet,
    nonce,
    simulated: provider.simulated,
  } as const
  if (tee === 'tdx' && 'tcbInfo' in collateral) return { ...fields, tee, collateral }
  if (tee === 'sev-snp' && 'crl' in collateral) return { ...fields, tee, collateral }
  throw new NodeError(
    'QUOTE_FAILED',
    provider.name,
    'the collateral is not of the machine that gave the quote',
  )
}

/**
 * What a quote of this very machine says that it runs.
 * @param quote TDX quote or SEV-SNP report, not verified here
 * @throws NodeError `QUOTE_FAILED` when it is of neither
 */
export function quotedMeasurement(quote: Uint8Array): Hex {
  if (teeOf(quote) === 'sev-snp') {
    const { measurement, hostData } = parseSnpReport(quote)
    return measurementDigest({ measurement: encodeHex(measurement), hostData: encodeHex(hostData) })
  }
  const { report } = parseQuote(quote)
  if (report.kind !== 'td') throw new NodeError('QUOTE_FAILED', 'quote', 'it is not that of a TDX guest')
  const [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmrs.map((register) => encodeHex(register))
  if (rtmr0 === undefined || rtmr1 === undefined || rtmr2 === undefined || rtmr3 === undefined)
    throw new NodeError('QUOTE_FAILED', 'quote', 'it has fewer than four run-time registers')
  return measurementDigest({ mrTd: encodeHex(report.mrTd), rtmrs: [rtmr0, rtmr1, rtmr2, rtmr3] })
}
