/**
 * One attested node verifies another before it sends anything: what the peer is, by its own evidence made just now, and that
 * the chain lists it as that.
 * @module
 */
import {
  type AppraisedGpus,
  type AttestationPolicy,
  AttestError,
  measurementDigest,
  verifyNodeEvidence,
} from '@sealpool/attest'
import { ClientError, nodeApi } from '@sealpool/client'
import { type Address, type Digest, encodeHex, type Hex, type KeySet, keySetDigest } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { type DemandedGpus, judgePeerGpus } from './judge-gpus.js'

/** A node that was verified; whoever it is sealed to is this one. */
export interface AttestedPeer {
  /** Base address under which it was asked, without a slash at its end. */
  readonly url: string
  /** Under which its statements count, lower case. */
  readonly statementAddress: Address
  readonly keySet: KeySet
  readonly keySetDigest: Digest
  /** What it runs, in the one number that the node registry lists. */
  readonly measurement: Hex
  /** No hardware stands behind it. */
  readonly simulated: boolean
  /** What it proved of its GPUs; absent: it was asked for none. */
  readonly gpu?: AppraisedGpus
}

/** By what a peer's evidence is judged. */
export interface PeerRules {
  /**
   * Which evidence is good enough. With an empty list of measurements the chain alone says which code may run; otherwise both
   * must agree.
   */
  readonly evidencePolicy: AttestationPolicy
  /** Whether this node is simulated itself: else no simulator is its peer, whatever the policy allows. */
  readonly simulated: boolean
  /** Which GPUs it must prove to have; absent: it is asked for none. */
  readonly gpus?: DemandedGpus | undefined
}

/** What {@link attestPeer} asks, and with what. */
export interface AttestPeerOptions extends PeerRules {
  /** Base address of the peer, http or https. */
  readonly url: string
  readonly chain: Pick<ChainPort, 'node' | 'measurementAllowed'>
  /** A CSPRNG: the nonce. */
  readonly random: (length: number) => Uint8Array
  /** Unix seconds. */
  readonly now: () => number
  /** Milliseconds for the peer's answer, body included. */
  readonly timeoutMs: number
  /** Another fetch, for tests. */
  readonly fetch?: typeof globalThis.fetch
}

const maximumEvidenceBytes = 2 * 1024 * 1024

/**
 * Verifies a peer: fresh evidence over a nonce of this node's, its key set in the quote's report data, its measurement allowed on
 * the chain now, its registration active and for this very key set.
 * @returns the peer
 * @throws NodeError `PEER_NOT_ATTESTED`, `PEER_GPUS_NOT_PROVED` with the reason; `NODE_UNREACHABLE` when it gives no evidence; what the chain says when it
 * cannot be read
 */
export async function attestPeer(options: AttestPeerOptions): Promise<AttestedPeer> {
  const { chain, random, now, timeoutMs, fetch } = options
  const url = options.url.replace(/\/+$/, '')
  const nonce = encodeHex(random(32))
  const evidence = await evidenceOf({ url, timeoutMs, nonce, fetch, gpus: options.gpus !== undefined })
  const proved = verifyPeerEvidence({ ...options, evidence, nonce, at: new Date(now() * 1000), place: url })
  const record = await chain.node(proved.statementAddress)
  const refuse = (why: string) => new NodeError('PEER_NOT_ATTESTED', url, why)
  if (record === null) throw refuse('the node registry does not know it; register it first')
  if (record.keySetDigest !== proved.keySetDigest)
    throw refuse('the node registry holds another key set for it; register the node as it runs now')
  if (record.measurement !== proved.measurement)
    throw refuse('it is registered with other code than it runs; register it anew')
  await requireMeasurementAllowed(chain, proved.measurement, url)
  if (!record.active) throw refuse('its registration is not active: it has expired or was revoked')
  return { url, ...proved }
}

/**
 * Judges evidence alone, whoever brought it: quote, key set, nonce, policy. What the chain says of it is for the caller to ask.
 * @param options `evidence`: JSON of unknown origin; `nonce`: of this node, 32 bytes; `at`: the moment; `place`: who is meant, for
 * errors
 * @throws NodeError `PEER_NOT_ATTESTED`, `PEER_GPUS_NOT_PROVED`
 */
export function verifyPeerEvidence(
  options: PeerRules & {
    readonly evidence: unknown
    readonly nonce: Hex
    readonly at: Date
    readonly place: string
  },
): Omit<AttestedPeer, 'url'> {
  const { evidence, nonce, at, place, simulated } = options
  const refuse = (why: string, cause?: unknown) => new NodeError('PEER_NOT_ATTESTED', place, why, { cause })
  const policy: AttestationPolicy = {
    ...options.evidencePolicy,
    allowSimulator: options.evidencePolicy.allowSimulator && simulated,
  }
  const judge = (measurements: AttestationPolicy['measurements']) =>
    verifyNodeEvidence({ evidence, policy: { ...policy, measurements }, at, nonce })
  try {
    let verdict = judge(policy.measurements)
    const { claims } = verdict.verdict
    if (claims.tee === 'sgx') throw refuse('its evidence is not that of a confidential VM')
    const measured =
      claims.tee === 'tdx'
        ? { name: 'as the chain decides', mrTd: claims.mrTd, rtmrs: [...claims.rtmrs] }
        : { name: 'as the chain decides', measurement: claims.measurement, hostData: claims.hostData }
    if (policy.measurements.length === 0) verdict = judge([measured])
    if (!verdict.ok) {
      const open = verdict.checks.filter(({ result }) => result !== 'pass')
      const failed = open.find(({ result }) => result === 'fail') ?? open[0]
      throw refuse(`${failed?.title ?? 'its evidence'}: ${failed?.detail ?? 'it does not verify'}`)
    }
    const { keySet } = verdict
    const { gpus } = options
    return {
      statementAddress: keySet.statement.address,
      keySet,
      keySetDigest: keySetDigest(keySet),
      measurement: measurementDigest(claims),
      simulated: verdict.verdict.simulated,
      ...(gpus === undefined ? {} : { gpu: judgePeerGpus(gpus, { verdict, measured, at, place }) }),
    }
  } catch (cause) {
    if (cause instanceof AttestError) throw refuse(`its evidence cannot be read (${cause.code})`, cause)
    throw cause
  }
}

/**
 * @param place who runs it, for the error
 * @throws NodeError `PEER_NOT_ATTESTED` unless the chain allows the measurement now
 */
export async function requireMeasurementAllowed(
  chain: Pick<ChainPort, 'measurementAllowed'>,
  measurement: Hex,
  place: string,
): Promise<void> {
  if (await chain.measurementAllowed(measurement)) return
  throw new NodeError(
    'PEER_NOT_ATTESTED',
    place,
    `the chain does not allow its measurement ${measurement}: it was never allowed, was withdrawn, or its time lock still runs`,
  )
}

async function evidenceOf(options: {
  readonly url: string
  readonly timeoutMs: number
  readonly nonce: Hex
  readonly fetch: typeof globalThis.fetch | undefined
  readonly gpus: boolean
}): Promise<unknown> {
  const { url, timeoutMs, nonce, fetch, gpus } = options
  try {
    const api = nodeApi({
      url,
      timeoutMs,
      maximumBytes: maximumEvidenceBytes,
      ...(fetch === undefined ? {} : { fetch }),
    })
    return await api.evidence(nonce, { gpus })
  } catch (cause) {
    if (!(cause instanceof ClientError)) throw cause
    const why = cause.nodeCode ?? cause.code
    throw new NodeError('NODE_UNREACHABLE', url, `the peer gave no evidence (${why}); check its address`, {
      cause,
    })
  }
}
