import { encodeBase64Url } from '@sealpool/crypto'
import { AttestError } from '../errors.js'
import { appraiseWithRefusals } from '../policy/appraise.js'
import { type AttestationPolicy, attestationPolicyDigest } from '../policy/policy.js'
import type { RefusalSubject } from '../policy/refusal.js'
import { endOfTime } from '../verdict/moment.js'
import type { Verdict } from '../verdict/verdict.js'

/** AR4SI trustworthiness claims (draft-ietf-rats-ar4si): 2 affirming, 32 and above warning, 96 and above contraindicated. */
export interface TrustworthinessVector {
  readonly 'instance-identity': number
  readonly hardware: number
  readonly executables: number
  readonly configuration: number
  readonly 'runtime-opaque': number
}

/** An EAT attestation result (draft-ietf-rats-ear) as claims of a JWT. */
export interface EarClaims {
  readonly eat_profile: 'tag:github.com,2023:veraison/ear'
  readonly iat: number
  readonly 'ear.verifier-id': { readonly developer: string; readonly build: string }
  readonly submods: Readonly<Record<string, EarSubmodule>>
}

/** The appraisal of one attester. */
export interface EarSubmodule {
  readonly 'ear.status': 'none' | 'affirming' | 'warning' | 'contraindicated'
  readonly 'ear.trustworthiness-vector': TrustworthinessVector
  readonly 'ear.appraisal-policy-id': string
  /** Every check of the verdict, for whoever wants to know more. */
  readonly 'sealpool.checks': Verdict['checks']
  readonly 'sealpool.reasons': readonly string[]
  readonly 'sealpool.simulated': boolean
}

/**
 * Puts a verdict and its appraisal into the words of an EAR. Its status is that of the worst claim of the vector
 * (draft-ietf-rats-ear, 3.1): `allowed` is affirming, `false` contraindicated, `not-proved` none, since nothing can be said, and
 * `not-allowed` a warning, or contraindicated for debug and roots that the policy does not name. Simulated evidence is
 * contraindicated even where a policy allows it: no hardware stands behind it.
 *
 * @param verdict from `verifyQuote` or `verifySnpReport`
 * @param policy it is appraised against
 * @param options who made the statement, and when
 * @param options.build who made this verifier, for example `@sealpool/attest 0.1.0`
 * @param options.issuedAt moment of the statement
 * @returns the claims, not signed yet
 * @throws AttestError `BAD_ARGUMENT` for what is no verdict or no date, `BAD_POLICY` for what is no policy
 */
export function earClaims(
  verdict: Verdict,
  policy: AttestationPolicy,
  options: { readonly build: string; readonly issuedAt: Date },
): EarClaims {
  const given: unknown = options.issuedAt
  // Callers without types give texts and numbers too.
  const issuedAt =
    Object.prototype.toString.call(given) === '[object Date]'
      ? Math.floor(options.issuedAt.getTime() / 1000)
      : -1
  if (!(issuedAt >= 0 && issuedAt < endOfTime))
    throw new AttestError('BAD_ARGUMENT', 'options.issuedAt', 'The time is not a valid date')
  const appraisal = appraiseWithRefusals(verdict, policy)
  const trustworthiness = vector(verdict, appraisal)
  return {
    eat_profile: 'tag:github.com,2023:veraison/ear',
    iat: issuedAt,
    'ear.verifier-id': { developer: 'https://github.com/sealpool', build: options.build },
    submods: {
      [verdict.tee]: {
        'ear.status': statusOf(trustworthiness),
        'ear.trustworthiness-vector': trustworthiness,
        'ear.appraisal-policy-id': attestationPolicyDigest(policy),
        'sealpool.checks': verdict.checks,
        'sealpool.reasons': appraisal.reasons,
        'sealpool.simulated': verdict.simulated,
      },
    },
  }
}

/** Tiers of AR4SI: none below 2, then affirming, from 32 on warning, from 96 on contraindicated. */
function statusOf(vector: TrustworthinessVector): EarSubmodule['ear.status'] {
  const worst = Math.max(...Object.values(vector))
  if (worst >= 96) return 'contraindicated'
  if (worst >= 32) return 'warning'
  return worst >= 2 ? 'affirming' : 'none'
}

/** What each claim says when it is refused: 97 an instance that is not recognised, 96 memory that is not protected. */
const refused: TrustworthinessVector = {
  'instance-identity': 97,
  hardware: 32,
  executables: 33,
  configuration: 32,
  'runtime-opaque': 96,
}

function vector(
  { simulated, claims }: Verdict,
  { answer, refusals }: ReturnType<typeof appraiseWithRefusals>,
): TrustworthinessVector {
  if (answer === 'false') return all(99)
  if (answer === 'not-proved') return all(0)
  const value = (subject: RefusalSubject) =>
    refusals.some(({ about }) => about === subject) ? refused[subject] : 2
  return {
    'instance-identity': simulated ? 97 : value('instance-identity'),
    hardware: simulated ? 97 : value('hardware'),
    executables: value('executables'),
    configuration: claims.debug ? 96 : value('configuration'),
    'runtime-opaque': value('runtime-opaque'),
  }
}

function all(value: number): TrustworthinessVector {
  return {
    'instance-identity': value,
    hardware: value,
    executables: value,
    configuration: value,
    'runtime-opaque': value,
  }
}

/**
 * Writes claims as a JWT in compact form (RFC 7519).
 *
 * @param claims from {@link earClaims}
 * @param signer algorithm name (RFC 7518, for example `ES256`) and what signs the bytes; r || s for ECDSA
 * @returns header, claims and signature in base64url with dots between
 */
export async function earToken(
  claims: EarClaims,
  signer: {
    readonly algorithm: string
    readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>
  },
): Promise<string> {
  const part = (value: unknown) => encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)))
  const message = `${part({ alg: signer.algorithm, typ: 'JWT' })}.${part(claims)}`
  const signature = await signer.sign(new TextEncoder().encode(message))
  return `${message}.${encodeBase64Url(signature)}`
}
