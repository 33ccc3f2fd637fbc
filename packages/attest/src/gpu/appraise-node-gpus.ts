import { AttestError } from '../errors.js'
import type { GpuEvidence } from '../evidence/node-evidence.js'
import type { PlatformAppraisal } from '../policy/appraise-platform.js'
import { type PlatformPolicy, parsePlatformPolicy } from '../policy/platform-policy.js'
import type { VerifySignature } from '../signature/port.js'
import type { TdxClaims, Verdict } from '../verdict/verdict.js'
import { appraiseGuestGpus, type GuestGpuRules } from './appraise-guest-gpus.js'
import { gpuLimits } from './gpu-limits.js'
import { type GpuMode, gpuModeEventName, parseGpuMode } from './gpu-mode.js'

/** Answer of {@link appraiseNodeGpus}. */
export interface NodeGpuAppraisal extends PlatformAppraisal {
  /** What the guest has recorded of its GPUs; null unless the answer is `allowed`. */
  readonly mode: GpuMode | null
}

/** The appraisal itself, with portable signatures unless the caller gives others; see its public face in `with-platform.ts`. */
export function appraiseNodeGpus(
  options: GuestGpuRules & {
    readonly shown: GpuEvidence | null
    readonly hardware: Verdict
    readonly at: Date
    readonly verifySignature?: VerifySignature
  },
): NodeGpuAppraisal {
  const { shown, hardware } = options
  const policy = parseNodeGpuPolicy(options.policy)
  if (shown === null) return notProved('The node shows no evidence of GPUs.')
  if (!isTdx(hardware))
    return notProved('The node’s hardware has no register that could hold the mode of its GPUs.')
  const { appraisal, log } = appraiseGuestGpus({
    ...options,
    policy,
    hardware,
    eventLog: jsonOf(shown.eventLog, 'eventLog'),
    token: jsonOf(shown.token, 'token'),
  })
  const recorded = log.facts.appEvents.find(({ name }) => name === gpuModeEventName)
  const allowed = appraisal.answer === 'allowed' && recorded !== undefined
  return { ...appraisal, mode: allowed ? parseGpuMode(recorded.payload) : null }
}

/** What a policy for nodes may speak of. */
const shownByNodes: readonly string[] = ['format', 'version', 'dstack', 'nvidiaToken', 'gpu']

/**
 * Reads a platform policy by which the GPUs of nodes can be judged.
 *
 * @param json any value
 * @returns the policy, which has `dstack`, `nvidiaToken` and `gpu` and nothing else
 * @throws AttestError `BAD_POLICY` when it is none, asks for what no node shows, or does not ask for GPUs
 */
export function parseNodeGpuPolicy(json: unknown): PlatformPolicy {
  const policy = parsePlatformPolicy(json)
  // A policy for GPUs without rules for their guest, or for their evidence, is none: `parsePlatformPolicy` refuses it.
  if (policy.gpu === undefined)
    throw new AttestError(
      'BAD_POLICY',
      'policy',
      'A node’s GPUs are judged by dstack, nvidiaToken and gpu: name all three',
    )
  const other = Object.keys(policy).find((name) => !shownByNodes.includes(name))
  if (other !== undefined)
    throw new AttestError('BAD_POLICY', `policy.${other}`, 'A node shows no such evidence: leave it out')
  return policy
}

function isTdx(hardware: Verdict): hardware is Verdict & { readonly claims: TdxClaims } {
  return hardware.claims.tee === 'tdx'
}

function notProved(reason: string): NodeGpuAppraisal {
  return { answer: 'not-proved', reasons: [reason], limits: gpuLimits, mode: null }
}

function jsonOf(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AttestError('BAD_EVIDENCE', `evidence.gpu.${name}`, 'It is no JSON text')
  }
}
