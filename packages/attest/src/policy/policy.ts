import { type Digest, digestOf } from '@sealpool/crypto'
import * as z from 'zod'
import { AttestError } from '../errors.js'
import { type VerdictTcbStatus, verdictTcbStatuses } from '../intel/tcb-status.js'
import type { Hex } from '../verdict/verdict.js'

/**
 * Which evidence is good enough, as plain JSON. Strict: whatever a policy does not name is refused.
 */
export type AttestationPolicy = {
  format: 'sealpool/attestation-policy'
  version: 1
  /** `intel` for the pinned vendor root; a digest of a root certificate or its public key for any other root. */
  roots: ('intel' | Digest)[]
  /** Whether evidence that no hardware stands behind may pass at all; its root must be in `roots` as well. */
  allowSimulator: boolean
  acceptedTcbStatuses: VerdictTcbStatus[]
  /** Advisories that may apply to an accepted status other than UpToDate, for example `INTEL-SA-00615`. */
  acceptedAdvisories: string[]
  /** ISO date or time; a TCB from before it is refused. */
  minimumTcbDate?: string
  /** Code that may run. Empty: none. A register that is not listed in `rtmrs` is not looked at. */
  measurements: { name: string; mrTd: Hex; rtmrs?: Hex[] }[]
  /** A TD under debug can be read by its host: there is no way to allow it. */
  allowDebug: false
  /** How long ago the older of TCB info and QE identity may have been issued, in seconds. */
  maximumAgeSeconds: number
}

const register = z.custom<Hex>(
  (value) => typeof value === 'string' && /^0x[0-9a-f]{96}$/.test(value),
  'expected 0x and 96 lower-case hexadecimal digits (SHA-384)',
)
const digest = z.custom<Digest>(
  (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value),
  'expected sha256: and 64 lower-case hexadecimal digits',
)

/** Schema of {@link AttestationPolicy}; unknown fields are refused, since a rule nobody enforces is worse than none. */
export const attestationPolicySchema: z.ZodType<AttestationPolicy> = z.strictObject({
  format: z.literal('sealpool/attestation-policy'),
  version: z.literal(1),
  roots: z.array(z.union([z.literal('intel'), digest])).max(100),
  allowSimulator: z.boolean(),
  acceptedTcbStatuses: z.array(z.enum(verdictTcbStatuses)).max(20),
  acceptedAdvisories: z.array(z.string().max(64)).max(1000),
  minimumTcbDate: z.exactOptional(z.union([z.iso.date(), z.iso.datetime()])),
  measurements: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        mrTd: register,
        rtmrs: z.exactOptional(z.array(register).max(4)),
      }),
    )
    .max(1000),
  allowDebug: z.literal(false),
  maximumAgeSeconds: z.int().min(1),
})

/**
 * The policy to start from: Intel's root only, no simulator, an up-to-date TCB, collateral of at most thirty days, and no
 * measurement, so that it allows nothing until the caller names the code that may run.
 */
export const defaultAttestationPolicy: Readonly<AttestationPolicy> = {
  format: 'sealpool/attestation-policy',
  version: 1,
  roots: ['intel'],
  allowSimulator: false,
  acceptedTcbStatuses: ['UpToDate'],
  acceptedAdvisories: [],
  measurements: [],
  allowDebug: false,
  maximumAgeSeconds: 30 * 24 * 3600,
}

/**
 * Reads a policy of unknown origin.
 *
 * @param json any value
 * @returns the policy
 * @throws AttestError `BAD_POLICY` with the first offending place
 */
export function parseAttestationPolicy(json: unknown): AttestationPolicy {
  const result = attestationPolicySchema.safeParse(json)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const place = ['policy', ...(issue?.path.map(String) ?? [])].join('.')
  const message = `Not an attestation policy: ${issue?.message ?? 'unknown form'}`
  throw new AttestError('BAD_POLICY', place, message, { cause: result.error })
}

/**
 * The digest by which a policy is named.
 *
 * @returns SHA-256 of its canonical JSON
 */
export function attestationPolicyDigest(policy: AttestationPolicy): Digest {
  return digestOf(policy)
}
