import { type Address, type Client, encodeAbiParameters, type Hex, toHex } from 'viem'
import { readContract } from 'viem/actions'
import { tdxVerifierAbi } from '../abi/TdxVerifier.js'
import { reading } from '../action/transaction.js'
import { ContractsError } from '../errors.js'

/** A TDX quote in the form that the chain verifies: without its certification data, which is unsigned. */
export interface TdxEvidence {
  /** The quote up to its certification data. */
  readonly quote: Hex
  /** The platform's certificate (PCK), DER. */
  readonly platformCertificate: Hex
  /** The certificates of the quote's chain, DER, the platform's first. */
  readonly chain: readonly Hex[]
}

/** Statuses of `TdxVerifier`, in the order of the contract's enumeration. */
export const tdxStatuses = [
  'None',
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'Revoked',
  'TCB_NOT_SUPPORTED',
  'TD_RELAUNCH_ADVISED',
  'TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED',
] as const

/** What a valid quote says. */
export interface TdxVerdict {
  readonly status: (typeof tdxStatuses)[number]
  /** FMSPC (6 bytes), then PCE id (2 bytes). */
  readonly platform: Hex
  /** SHA-256 of MRTD and RTMR0 to RTMR3. */
  readonly measurement: Hex
  /** 64 bytes. */
  readonly reportData: Hex
  readonly tdAttributes: Hex
}

const HEADER = 48
const TD_REPORT = 584
const TD_REPORT_15 = 648
const QE_REPORT = 384
const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g
const MAXIMUM_QUOTE = 1 << 20

/**
 * Splits a raw DCAP quote (TDX, version 4 or 5) for the chain. It only takes apart: nothing is verified here.
 *
 * @param raw The quote as a TD gets it; bytes after its declared end are left out.
 * @returns the quote without its certification data, and the certificates of its chain
 * @throws {ContractsError} `ARGUMENT_INVALID` when the bytes are no such quote with a PEM chain.
 */
export function splitTdxQuote(raw: Uint8Array): TdxEvidence {
  const bad = (what: string) => new ContractsError('ARGUMENT_INVALID', 'splitTdxQuote', what)
  if (raw.length > MAXIMUM_QUOTE) throw bad(`longer than ${MAXIMUM_QUOTE} bytes`)
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
  const need = (end: number) => {
    if (end > raw.length) throw bad(`the quote ends at byte ${raw.length}, before what it must hold`)
  }
  need(HEADER + 6)
  const version = view.getUint16(0, true)
  if ((version !== 4 && version !== 5) || view.getUint32(4, true) !== 0x81) {
    throw bad('only TDX quotes of version 4 and 5 are known')
  }
  let signedEnd = HEADER + TD_REPORT
  if (version === 5) {
    const kind = view.getUint16(HEADER, true)
    const size = view.getUint32(HEADER + 2, true)
    if (!(kind === 2 && size === TD_REPORT) && !(kind === 3 && size === TD_REPORT_15)) {
      throw bad('only TD reports 1.0 and 1.5 are known')
    }
    signedEnd = HEADER + 6 + size
  }
  const certification = signedEnd + 4 + 128
  const report = certification + 6
  const authentication = report + QE_REPORT + 64
  need(authentication + 2)
  if (view.getUint16(certification, true) !== 6) throw bad('the certification data is not of type 6')
  const end = authentication + 2 + view.getUint16(authentication, true)
  need(end + 6)
  if (view.getUint16(end, true) !== 5) throw bad('the quote carries no PEM chain of its platform')
  const length = view.getUint32(end + 2, true)
  need(end + 6 + length)
  const text = new TextDecoder().decode(raw.subarray(end + 6, end + 6 + length))
  const chain = [...text.matchAll(PEM)].map(([, body]) => derOf(body ?? '', bad))
  const [platformCertificate] = chain
  if (platformCertificate === undefined) throw bad('the chain holds no certificate')
  return { quote: toHex(raw.subarray(0, end)), platformCertificate, chain }
}

function derOf(base64: string, bad: (what: string) => ContractsError): Hex {
  try {
    const binary = atob(base64.replace(/\s/g, ''))
    return toHex(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
  } catch {
    throw bad('a certificate of the chain is not base64')
  }
}

/**
 * The evidence as `registerNodeByQuote` and {@link verifyTdxQuote}'s contract take it in one piece.
 *
 * @param evidence - as {@link splitTdxQuote} gives it; its chain beyond the platform's certificate is left out
 * @param authority - identifier of the PCK authority, 32 bytes (see `bringTdxCollateral`)
 * @returns the ABI encoding of quote, platform certificate and authority
 */
export function encodeTdxEvidence(evidence: TdxEvidence, authority: Hex): Hex {
  return encodeAbiParameters(
    [{ type: 'bytes' }, { type: 'bytes' }, { type: 'bytes32' }],
    [evidence.quote, evidence.platformCertificate, authority],
  )
}

/**
 * Verifies a TDX quote on chain, against collateral that is on chain already. A status is told, not judged.
 *
 * @param client - a viem client on the verifier's chain
 * @param args - `verifier`, the contract's address; `evidence`, as {@link splitTdxQuote} gives it; `authority`;
 * `blockNumber`
 * @param args.authority Identifier of the PCK authority (see `bringTdxCollateral`).
 * @param args.blockNumber Default: the newest block; its time is the time of the verification.
 * @returns status, platform, measurement and report data of a quote that is valid
 * @throws {ContractsError} `REVERTED` with what is wrong: `QuoteSignatureInvalid`, `IsRevoked`, `TcbInfoMissing`, ...
 */
export async function verifyTdxQuote(
  client: Client,
  args: {
    readonly verifier: Address
    readonly evidence: TdxEvidence
    readonly authority: Hex
    readonly blockNumber?: bigint
  },
): Promise<TdxVerdict> {
  const verdict = await reading('verifyTdxQuote', () =>
    readContract(client, {
      address: args.verifier,
      abi: tdxVerifierAbi,
      functionName: 'verifyQuote',
      args: [args.evidence.quote, args.evidence.platformCertificate, args.authority],
      ...(args.blockNumber === undefined ? {} : { blockNumber: args.blockNumber }),
    }),
  )
  const { platform, measurement, reportData, reportDataRest, tdAttributes } = verdict
  const status = tdxStatuses[verdict.status] ?? 'None'
  return {
    status,
    platform,
    measurement,
    reportData: `${reportData}${reportDataRest.slice(2)}`,
    tdAttributes,
  }
}
