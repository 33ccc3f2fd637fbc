import { AttestError } from '../errors.js'
import { appraiseGuestGpus, type GuestGpuRules, type ShownGpus } from '../gpu/appraise-guest-gpus.js'
import type { NvidiaServiceKey } from '../nvidia/token.js'
import { withPlatformSignatures } from '../platform.js'
import type { PlatformAppraisal } from '../policy/appraise-platform.js'
import type { PlatformPolicy } from '../policy/platform-policy.js'
import type { Check } from '../verdict/check-list.js'
import type { Verdict } from '../verdict/verdict.js'

/** A guest's GPUs as they were judged, with each list of checks under its heading. */
export interface GpuAnswer {
  readonly appraisal: PlatformAppraisal
  readonly parts: readonly { readonly heading: string; readonly checks: readonly Check[] }[]
}

/** `{"keys": [...]}` as services publish their keys (RFC 7517), or the list alone. */
function keysOf(json: unknown): readonly NvidiaServiceKey[] {
  const keys: unknown = Array.isArray(json) ? json : ((json ?? {}) as { readonly keys?: unknown }).keys
  if (!Array.isArray(keys))
    throw new AttestError('BAD_EVIDENCE', 'keys', 'Not a list of the service’s keys (JWKS)')
  return keys as readonly NvidiaServiceKey[]
}

/**
 * Judges a guest's GPUs from files: the guest's verified quote, its event log, and a token of NVIDIA's service.
 *
 * @throws AttestError `BAD_EVENT_LOG`, `BAD_EVIDENCE` when a file is none of these
 */
export function judgeGpus(options: {
  readonly hardware: Verdict
  readonly eventLog: unknown
  readonly token: unknown
  readonly keys: unknown
  readonly policy: PlatformPolicy
  readonly at: Date
}): GpuAnswer {
  const { hardware, eventLog, policy, at } = options
  const { claims } = hardware
  if (claims.tee !== 'tdx')
    throw new AttestError(
      'BAD_EVIDENCE',
      'quote',
      'The quote is not that of a TDX guest, which alone can record its GPUs',
    )
  const { appraisal, log, token } = appraiseGuestGpus(
    withPlatformSignatures<GuestGpuRules & ShownGpus>({
      hardware: { ...hardware, claims },
      eventLog,
      token: options.token,
      keys: keysOf(options.keys),
      policy,
      at,
    }),
  )
  // The policy names the app by its compose hash, so that nobody needs the text.
  const logChecks = log.checks.filter(({ id }) => id !== 'compose-hash')
  return {
    appraisal,
    parts: [
      { heading: 'The quote', checks: hardware.checks },
      { heading: 'The guest’s event log', checks: logChecks },
      { heading: 'The GPUs, as NVIDIA’s service says', checks: token.checks },
    ],
  }
}
