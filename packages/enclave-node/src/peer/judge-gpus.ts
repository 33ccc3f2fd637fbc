/**
 * What a peer shows of its GPUs, judged before it is given anything that is to run on them.
 * @module
 */
import {
  type AppraisedGpus,
  type AttestationPolicy,
  AttestError,
  type NodeEvidenceVerdict,
} from '@sealpool/attest'
import {
  appraiseNodeGpus,
  type GuestGpuRules,
  gpuLimitNames,
  type PlatformPolicy,
  platformPolicyDigest,
} from '@sealpool/attest/platform-evidence'
import { NodeError } from '../errors.js'

/** Which GPUs a peer must have. */
export interface DemandedGpus {
  readonly rules: GuestGpuRules
  /** Fewest that a peer must show; the rules may ask for more. */
  readonly minimumDevices: number
}

/** What {@link judgePeerGpus} looks at. */
export interface ShownByPeer {
  /** On the peer's evidence, which must be good by this node's own policy: whether a simulator may be a peer is decided there. */
  readonly verdict: NodeEvidenceVerdict
  /** What its guest is measured as: stands in for an empty list of measurements, as for the evidence itself. */
  readonly measured: AttestationPolicy['measurements'][number]
  readonly at: Date
  /** Who is meant, for errors. */
  readonly place: string
}

/**
 * Judges a peer's GPUs by rules of this node: the event log against the registers of the peer's own fresh quote, NVIDIA's token by the
 * nonce that follows from that quote.
 * @returns what was found good enough, as receipts name it
 * @throws NodeError `PEER_GPUS_NOT_PROVED` with what is missing
 */
export function judgePeerGpus({ rules, minimumDevices }: DemandedGpus, shown: ShownByPeer): AppraisedGpus {
  const { verdict, at, place } = shown
  const refuse = (why: string, cause?: unknown) =>
    new NodeError('PEER_GPUS_NOT_PROVED', place, why, { cause })
  try {
    const { answer, reasons, mode } = appraiseNodeGpus({
      shown: verdict.gpu,
      hardware: verdict.verdict,
      policy: policyFor(rules.policy, minimumDevices, shown),
      keys: rules.keys,
      at,
    })
    // Is there when the answer is yes, and is never another one then.
    if (mode?.confidentialComputing !== 'on' || mode.developerTools !== 'off')
      throw refuse(`its GPUs are ${answer}: ${reasons.join(' ')}`)
    return {
      confidentialComputing: mode.confidentialComputing,
      developerTools: mode.developerTools,
      devices: mode.devices,
      policy: platformPolicyDigest(rules.policy),
      limits: [...gpuLimitNames],
    }
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause
    throw refuse(`what it shows of its GPUs cannot be read (${cause.code} at ${cause.place})`, cause)
  }
}

function policyFor(
  policy: PlatformPolicy,
  minimumDevices: number,
  { measured }: ShownByPeer,
): PlatformPolicy {
  const { dstack, gpu } = policy
  // Read where the settings are: both are there.
  if (dstack === undefined || gpu === undefined) return policy
  const { hardware } = dstack
  return {
    ...policy,
    dstack: {
      ...dstack,
      hardware: {
        ...hardware,
        measurements: hardware.measurements.length === 0 ? [measured] : hardware.measurements,
      },
    },
    gpu: { ...gpu, minimumDevices: Math.max(gpu.minimumDevices ?? 1, minimumDevices) },
  }
}
