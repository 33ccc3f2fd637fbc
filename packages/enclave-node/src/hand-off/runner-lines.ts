/**
 * The nodes that may run jobs, as the home node reaches them: attested, over lines sealed to what was attested.
 * @module
 */
import { type AttestationPolicy, AttestError, parseAttestationPolicy } from '@sealpool/attest'
import type { GuestGpuRules } from '@sealpool/attest/platform-evidence'
import { type Address, canonicalize, type JsonObject, type JsonValue } from '@sealpool/crypto'
import { NodeError } from '../errors.js'
import type { JobContext } from '../job/job-context.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { PeerLine } from '../peer/call-peer.js'
import type { DemandedGpus } from '../peer/judge-gpus.js'
import { findJob } from '../state/job-table.js'
import type { HandOffVisit } from './hand-off-visit.js'
import type { LeftTransfer } from './kept-hand-off.js'
import { type TransferLine, transferLine } from './transfer-line.js'

/** Seconds for which an attested line is used before the node is attested again. */
const lineSeconds = 60

/** How runners are reached. */
export interface RunnerLinesOptions extends Pick<JobContext, 'store' | 'now'> {
  /** Base addresses of nodes that may run jobs, in the order in which they are tried. */
  readonly nodes: readonly string[]
  /** The pools' policies as their digests on the chain are over them. */
  readonly policies: ReadonlyMap<Address, JsonObject>
  /** Verifies a node, see `attestPeer`. */
  readonly attest: (
    url: string,
    evidencePolicy: AttestationPolicy,
    gpus: DemandedGpus | undefined,
  ) => Promise<AttestedPeer>
  /** By what GPUs of nodes are judged; absent: none that a manifest demands are believed. */
  readonly gpu?: GuestGpuRules | undefined
  readonly call: (peer: AttestedPeer) => PeerLine
}

/** A running node that was attested just now. */
export interface Reached {
  readonly peer: AttestedPeer
  readonly line: TransferLine
  readonly until: number
}

/** @returns lines to runners; none is open yet */
export function runnerLines(options: RunnerLinesOptions) {
  const { store, nodes, now } = options
  const lines = new Map<string, Reached>()

  /** @param begun whether it was attested for this job before; else it is attested now, since something new is about to leave */
  const reach = async (
    url: string,
    { manifest, planned }: Pick<HandOffVisit, 'manifest' | 'planned'>,
    begun: boolean,
  ): Promise<Reached> => {
    const policies = planned.charges.map(({ pool }) => pool.policy.attestation)
    const gpus = demanded(url, manifest)
    // Who was attested without GPUs was not attested for a job that demands them.
    const name = `${url} ${canonicalize([policies, gpus?.minimumDevices ?? null] as JsonValue)}`
    const held = lines.get(name)
    const reached =
      begun && held !== undefined && held.until > now() ? held : await attestFor(url, policies, gpus)
    lines.set(name, reached)
    const { measurement, gpu } = reached.peer
    if (manifest.handOff?.measurements.includes(measurement) !== true)
      throw new NodeError('PEER_NOT_ATTESTED', url, 'the manifest of the job does not name its measurement')
    if (gpus !== undefined && (gpu === undefined || gpu.devices < gpus.minimumDevices))
      throw new NodeError(
        'PEER_GPUS_NOT_PROVED',
        url,
        `it has proved ${gpu?.devices ?? 0} GPUs, and the manifest of the job demands ${gpus.minimumDevices}`,
      )
    return reached
  }
  const demanded = (url: string, { handOff }: HandOffVisit['manifest']): DemandedGpus | undefined => {
    if (handOff?.gpu === undefined) return undefined
    if (options.gpu === undefined)
      throw new NodeError(
        'PEER_GPUS_NOT_PROVED',
        url,
        'this node has no rules to judge GPUs by (handOff.gpu)',
      )
    return { rules: options.gpu, minimumDevices: handOff.gpu.minimumDevices }
  }
  /** Good enough for every pool of the job: the chain and the manifest say which code, the policies which machines. */
  const attestFor = async (
    url: string,
    policies: readonly unknown[],
    gpus?: DemandedGpus,
  ): Promise<Reached> => {
    const peers: AttestedPeer[] = []
    for (const policy of distinct(policies)) {
      peers.push(await options.attest(url, { ...readPolicy(policy), measurements: [] }, gpus))
    }
    const [peer] = peers
    if (peer === undefined || peers.some(({ keySetDigest }) => keySetDigest !== peer.keySetDigest)) {
      throw new NodeError('PEER_NOT_ATTESTED', url, 'it changed its keys while it was attested')
    }
    return { peer, line: transferLine(url, options.call(peer)), until: now() + lineSeconds }
  }

  /** After a restart nobody is attested: that is done anew. */
  const lineOf = async (id: string, { url, keySet }: LeftTransfer): Promise<TransferLine | undefined> => {
    const held = [...lines.values()].find(({ peer }) => peer.keySetDigest === keySet)
    if (held !== undefined || !nodes.includes(url)) return held?.line
    const pools = (await findJob(store, id))?.pools ?? []
    const policies = pools.map((pool) => options.policies.get(pool)?.['attestation'])
    return (await attestFor(url, policies)).line
  }

  return {
    reach,
    lineOf,
    /** Whoever was not what it has to be, or silent, is attested anew. */
    forget(url: string): void {
      for (const [name, { peer }] of lines) if (peer.url === url) lines.delete(name)
    },
  }
}

function distinct(policies: readonly unknown[]): readonly unknown[] {
  return [...new Map(policies.map((policy) => [canonicalize(policy as JsonValue), policy])).values()]
}

function readPolicy(policy: unknown): AttestationPolicy {
  try {
    return parseAttestationPolicy(policy)
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause
    throw new NodeError('PEER_NOT_ATTESTED', 'policy', 'a pool’s attestation policy cannot be read', {
      cause,
    })
  }
}
