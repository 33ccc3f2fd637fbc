/**
 * Takes presentations of verifiable credentials from consumers, for the access conditions of pools.
 * @module
 */
import { credentialAudience } from '@sealpool/client/access'
import { type CredentialCondition, leavesOf, parseAccessRules } from '@sealpool/contracts'
import type { Address, Digest } from '@sealpool/crypto'
import type { ApiErrorCode } from '../api/api-error.js'
import type { SignInNonces } from '../api/sign-in-nonce.js'
import type { JobContext } from '../job/job-context.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import { accessRulesOf } from '../policy/admit-consumer.js'
import { narrowedPools } from '../policy/narrowed-pools.js'
import { type NotedPresentation, notePresented } from '../state/presented-credential.js'
import { conditionDigest } from './condition-digest.js'
import { judgePresentation, type Presentation, type PresentationOutcome } from './judge-presentation.js'

/** What a consumer hands in, for one pool. */
export interface CredentialRequest extends Presentation {
  readonly pool: Address
  /** From {@link CredentialDesk.challenge}; the holder has signed it. */
  readonly nonce: string
}

/** What it came to, for each credential that the pool's conditions ask for, in their order. */
export type CredentialAnswer = readonly (Pick<PresentationOutcome, 'until' | 'reason'> & {
  readonly condition: Digest
})[]

/** Where consumers present credentials. */
export interface CredentialDesk {
  /** A nonce for one presentation, which names the wallet that it is for: what its holder signs is worth nothing to another wallet. */
  challenge(wallet: Address): string
  /** Judges a presentation, and notes until when it counts. It is taken once, whatever it comes to. */
  present(wallet: Address, request: CredentialRequest): Promise<CredentialAnswer | ApiErrorCode>
}

/** What it needs. */
export type CredentialContext = Pick<
  JobContext,
  'store' | 'chain' | 'blobStore' | 'pools' | 'federation' | 'now'
> & {
  readonly keys: Pick<JobContext['keys'], 'keySetDigest'>
  readonly nonces: SignInNonces
}

/** Seconds that the holder's signature may be old: as long as a nonce is good. */
const maximumAge = 300

/** Opens the desk. */
export function credentialDesk(context: CredentialContext): CredentialDesk {
  const { store, chain, pools, federation, nonces, now } = context
  const audience = credentialAudience(context.keys.keySetDigest)

  /** What a pool asks for now, by its policy and every restriction; undefined when nobody here knows. */
  async function conditionsOf(address: Address): Promise<readonly CredentialCondition[] | undefined> {
    const pool = pools.get(address) ?? federation?.pools.get(address)
    if (pool === undefined) return undefined
    try {
      const [narrowed] = await narrowedPools(context, [pool])
      const leaves = (narrowed === undefined ? [] : accessRulesOf(narrowed)).flatMap((rules) =>
        leavesOf(parseAccessRules(rules).use),
      )
      return leaves.flatMap(({ leaf }) => ('credential' in leaf ? [leaf.credential] : []))
    } catch (caught) {
      // It is stopped, or its restrictions cannot be read now: nothing runs on it either.
      if (caught instanceof JobRefusal || caught instanceof JobPutOff) return undefined
      throw caught
    }
  }

  return {
    challenge: (wallet) => `${nonces.issue()}.${wallet}`,
    async present(wallet, { pool, nonce, ...given }) {
      const [issued = '', owner, ...more] = nonce.split('.')
      if (owner !== wallet || more.length > 0) return 'CREDENTIAL_NONCE'
      const conditions = await conditionsOf(pool)
      if (conditions === undefined || conditions.length === 0) return 'CREDENTIAL_POOL'
      const { timestamp } = await chain.head()
      const taken = nonces.take(issued)
      if (taken !== null) return taken === 'BUSY' ? taken : 'CREDENTIAL_NONCE'
      // Whoever sets this machine's clock back does not make anything valid again.
      const at = Math.max(now(), timestamp)
      const expected = { audience, nonce, maximumAge, at }
      const answer: CredentialAnswer[number][] = []
      const met: NotedPresentation[] = []
      for (const condition of conditions) {
        const outcome = await judgePresentation(condition, given, expected)
        const { until, reason } = outcome
        const digest = conditionDigest(condition)
        answer.push({ condition: digest, until, reason })
        if (outcome.until !== null) {
          met.push({ wallet, pool, condition: digest, until: outcome.until, holder: outcome.holder })
        }
      }
      if (met.length === 0 || (await notePresented(store, met, { now: at }))) return answer
      return 'BUSY'
    },
  }
}
