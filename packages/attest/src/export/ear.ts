import { encodeBase64Url } from '@sealpool/crypto'
import { type Appraisal, appraise } from '../policy/appraise.js'
import { type AttestationPolicy, attestationPolicyDigest } from '../policy/policy.js'
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

const statuses = {
  allowed: 'affirming',
  'not-proved': 'none',
  'not-allowed': 'warning',
  false: 'contraindicated',
} as const

/**
 * Puts a verdict and its appraisal into the words of an EAR: `allowed` is affirming, `not-allowed` a warning, `false`
 * contraindicated, and `not-proved` none, since nothing can be said. Simulated evidence is never affirming.
 *
 * @param verdict from `verifyQuote` or `verifySnpReport`
 * @param policy it is appraised against
 * @param options.build who made this verifier, for example `@sealpool/attest 0.1.0`
 * @param options.issuedAt moment of the statement
 */
export function earClaims(
  verdict: Verdict,
  policy: AttestationPolicy,
  options: { readonly build: string; readonly issuedAt: Date },
): EarClaims {
  const appraisal = appraise(verdict, policy)
  const status = verdict.simulated && appraisal.answer === 'allowed' ? 'warning' : statuses[appraisal.answer]
  return {
    eat_profile: 'tag:github.com,2023:veraison/ear',
    iat: Math.floor(options.issuedAt.getTime() / 1000),
    'ear.verifier-id': { developer: 'https://github.com/sealpool', build: options.build },
    submods: {
      [verdict.tee]: {
        'ear.status': status,
        'ear.trustworthiness-vector': vector(verdict, appraisal),
        'ear.appraisal-policy-id': attestationPolicyDigest(policy),
        'sealpool.checks': verdict.checks,
        'sealpool.reasons': appraisal.reasons,
        'sealpool.simulated': verdict.simulated,
      },
    },
  }
}

function vector(verdict: Verdict, { answer, reasons }: Appraisal): TrustworthinessVector {
  if (answer === 'false') return all(99)
  if (answer === 'not-proved') return all(0)
  const said = (pattern: RegExp) => reasons.some((reason) => pattern.test(reason))
  const hardware = verdict.simulated
    ? 97
    : said(/TCB|dvisor|firmware|aliases|does not allow (Milan|Genoa|Turin)/)
      ? 32
      : 2
  return {
    'instance-identity': verdict.simulated ? 97 : 2,
    hardware,
    executables: said(/measurement/) ? 33 : 2,
    configuration: verdict.claims.debug ? 96 : answer === 'allowed' ? 2 : 32,
    'runtime-opaque': verdict.claims.debug ? 96 : 2,
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
