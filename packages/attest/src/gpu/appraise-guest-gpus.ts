import { decodeHex } from '@sealpool/crypto'
import { type DstackVerdict, verifyDstackEventLog } from '../dstack/event-log.js'
import { type NvidiaServiceKey, type NvidiaTokenVerdict, verifyNvidiaToken } from '../nvidia/token.js'
import { appraisePlatform, type PlatformAppraisal } from '../policy/appraise-platform.js'
import type { PlatformPolicy } from '../policy/platform-policy.js'
import type { VerifySignature } from '../signature/port.js'
import type { TdxClaims, Verdict } from '../verdict/verdict.js'
import { gpuNonce } from './gpu-mode.js'

/** By what the GPUs of guests are judged. */
export interface GuestGpuRules {
  readonly policy: PlatformPolicy
  /** Of NVIDIA's attestation service, as its JWKS lists them. */
  readonly keys: readonly NvidiaServiceKey[]
}

/** What a guest shows of its GPUs, as JSON that nobody has read yet, beside its own verified quote. */
export interface ShownGpus {
  readonly hardware: Verdict & { readonly claims: TdxClaims }
  readonly eventLog: unknown
  readonly token: unknown
  readonly at: Date
  readonly verifySignature?: VerifySignature
}

/** Answer of {@link appraiseGuestGpus}. */
export interface GuestGpuAppraisal {
  readonly appraisal: PlatformAppraisal
  readonly log: DstackVerdict
  readonly token: NvidiaTokenVerdict
}

/**
 * Judges a guest's GPUs: its event log against the registers of its quote, NVIDIA's token by the nonce that follows from that quote, and
 * both by the policy.
 *
 * @throws AttestError `BAD_EVENT_LOG`, `BAD_EVIDENCE`, `BAD_ARGUMENT` when a part is none of these
 */
export function appraiseGuestGpus(options: GuestGpuRules & ShownGpus): GuestGpuAppraisal {
  const { hardware, keys, policy, at } = options
  const log = verifyDstackEventLog({ eventLog: options.eventLog, claims: hardware.claims })
  const token = verifyNvidiaToken(options.token, {
    keys,
    at,
    nonce: gpuNonce(decodeHex(hardware.claims.reportData)),
    ...(options.verifySignature === undefined ? {} : { verifySignature: options.verifySignature }),
  })
  return {
    appraisal: appraisePlatform({ dstack: { ...log, hardware }, nvidiaToken: token }, policy),
    log,
    token,
  }
}
