/**
 * The validator's side: judges contributions of another home's pool when that home asks, and signs for it. It believes nothing of who
 * asks but what the chain shows: that the pool's key is his, which policy and code the pool has approved, and which contribution is meant.
 * @module
 */
import type { Address, Digest, SignedStatement } from '@sealpool/crypto'
import { signVerdict } from '@sealpool/poc'
import type { ChainPort } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import type { JudgedPool, PlannablePool, ServedRescoring } from '../ingest/served-pool.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { ChainContribution } from '../state/contribution-table.js'
import { type JudgeToldContext, judgeTold, Withheld, type WithheldReason } from './judge-told.js'
import { inputsOf, type ValidationWish, type WishedVerdict } from './told-facts.js'

/** A pool of another home whose contributions this node judges. */
export type ValidatedPool = PlannablePool &
  JudgedPool & {
    /** Older policies under which contributions are judged again; null: none. */
    readonly rescoring: Pick<ServedRescoring, 'earlier'> | null
  }

/** What a validator says of one contribution: a signed verdict, or why there is none. */
export type ValidatorAnswer =
  | { readonly id: string; readonly statement: SignedStatement; readonly reason: null }
  | { readonly id: string; readonly statement: null; readonly reason: WithheldReason }

/** What a validator answers a question. */
export type ValidationAnswer =
  | { readonly state: 'judged'; readonly answers: readonly ValidatorAnswer[] }
  /** It would at another time. */
  | { readonly state: 'later'; readonly reason: 'NODE_NOT_WORKING' | 'BUSY' | 'JUDGING_FAILED' }
  /** Settings or chain must change first. */
  | {
      readonly state: 'refused'
      readonly reason:
        | 'POOL_NOT_VALIDATED'
        | 'NOT_ITS_HOME'
        | 'HOME_NOT_ATTESTED'
        | 'POLICY_DIFFERS'
        | 'CODE_DIFFERS'
    }

/** What other homes may ask; `caller` is who asks, by its statement key. */
export interface ValidationServer {
  judge(caller: Address, wish: ValidationWish): Promise<ValidationAnswer>
  /** Verdicts signed for other homes since the start. */
  signed(): number
}

/** What judging for others needs. */
export interface ServeValidationOptions extends Omit<JudgeToldContext, 'privateKey'> {
  readonly pools: ReadonlyMap<Address, ValidatedPool>
  readonly chain: Pick<ChainPort, 'chainId' | 'head' | 'pool' | 'contributions' | 'blockTime'>
  readonly keys: Pick<NodeKeyRing, 'statementKey' | 'hpkePrivateKey'>
  readonly sign: Pick<NodeSigner, 'deployment'>
  /** Verifies the node with a statement key under a pool's attestation policy. @throws NodeError */
  readonly attest: (node: Address, pools: readonly PlannablePool[]) => Promise<AttestedPeer>
  /** Whether this node may sign now: listed, not stopped, its keys its own, the chain read to its head. */
  readonly mayWork: () => boolean
  /** Milliseconds of any clock that only goes forward. */
  readonly elapsed: () => number
  readonly onError: (error: unknown) => void
}

/** After so long a question's other contributions are asked about again. */
const turnMs = 60_000
/** A question must be answered in this time, since its home waits no longer; one that is not is lost with all that was judged for it. */
const answerMs = 80_000
/** Homes whose questions are worked on at once; each has one. */
const homesAtOnce = 2

/** @returns what other homes may ask of this node */
export function serveValidation(options: ServeValidationOptions): ValidationServer {
  const { pools, chain, keys, sign, attest, mayWork, elapsed, onError } = options
  const under = new Set<Address>()
  let signed = 0
  return {
    signed: () => signed,
    async judge(caller, wish) {
      if (!mayWork()) return { state: 'later', reason: 'NODE_NOT_WORKING' }
      const pool = pools.get(wish.pool)
      if (pool === undefined) return { state: 'refused', reason: 'POOL_NOT_VALIDATED' }
      try {
        // Before anything is begun: who is not the home takes no home's turn.
        const refused = await refusalOnChain(caller, wish, pool)
        if (refused !== undefined) return refused
        if (under.has(caller) || under.size >= homesAtOnce) return { state: 'later', reason: 'BUSY' }
        under.add(caller)
        try {
          return (await refusalOfNode(caller, pool)) ?? (await judgeAll(wish, pool))
        } finally {
          under.delete(caller)
        }
      } catch (error) {
        onError(error)
        return { state: 'later', reason: 'JUDGING_FAILED' }
      }
    },
  }

  async function refusalOnChain(
    caller: Address,
    { poc }: ValidationWish,
    pool: ValidatedPool,
  ): Promise<ValidationAnswer | undefined> {
    const { keyEpoch, policyDigest, pocDigest, refinerDigest } = await chain.pool(pool.address)
    if (keyEpoch?.node.toLowerCase() !== caller) return { state: 'refused', reason: 'NOT_ITS_HOME' }
    if (policyDigest !== pool.policyDigest) return { state: 'refused', reason: 'POLICY_DIFFERS' }
    return pocDigest !== pool.poc.digest || poc !== pocDigest || refinerDigest !== pool.refiner.digest
      ? { state: 'refused', reason: 'CODE_DIFFERS' }
      : undefined
  }

  async function refusalOfNode(caller: Address, pool: ValidatedPool): Promise<ValidationAnswer | undefined> {
    try {
      const peer = await attest(caller, [pool])
      if (peer.statementAddress === caller) return undefined
    } catch (error) {
      if (!(error instanceof NodeError) || error.code !== 'PEER_NOT_ATTESTED') throw error
      onError(error)
    }
    return { state: 'refused', reason: 'HOME_NOT_ATTESTED' }
  }

  async function judgeAll({ key, items }: ValidationWish, pool: ValidatedPool): Promise<ValidationAnswer> {
    const since = elapsed()
    const { number: head } = await chain.head()
    const blocks = new Map<string, Promise<readonly ChainContribution[]>>()
    const inBlock = (block: string) => {
      const known = blocks.get(block) ?? chain.contributions(BigInt(block), BigInt(block))
      blocks.set(block, known)
      return known
    }
    const answers: ValidatorAnswer[] = []
    const { proof, refiner } = options.limits
    // Whoever contributes files that take long must not cost the others their answers; the first is always come to, so that all are in the end.
    const turn = Math.min(turnMs, answerMs - proof.timeMs - refiner.timeMs)
    for (const [place, item] of items.entries()) {
      try {
        if (elapsed() - since > (place === 0 ? turnMs : turn)) throw new Withheld('TURN_OVER')
        if (!isServed(pool, item)) throw new Withheld('RESCORING_NOT_SERVED')
        if (BigInt(item.block) > head) throw new Withheld('CHAIN_BEHIND')
        const found = (await inBlock(item.block)).find(({ id }) => id === item.id)
        if (found?.pool.toLowerCase() !== pool.address) throw new Withheld('CONTRIBUTION_UNKNOWN')
        answers.push({ id: item.id, statement: await judgeOne(pool, key, item, found), reason: null })
      } catch (error) {
        if (!(error instanceof Withheld)) throw error
        answers.push({ id: item.id, statement: null, reason: error.reason })
      }
    }
    return { state: 'judged', answers }
  }

  async function judgeOne(
    pool: ValidatedPool,
    key: Uint8Array,
    { header, told }: WishedVerdict,
    found: ChainContribution,
  ): Promise<SignedStatement> {
    const contribution: ChainContribution = {
      ...found,
      pool: pool.address,
      owner: found.owner.toLowerCase() as Address,
    }
    const at = await chain.blockTime(found.blockHash)
    const { verdict, mediaType } = await judgeTold(
      pool,
      { contribution, at, header, told },
      { ...options, privateKey: keys.hpkePrivateKey },
    )
    const { owner, commitment } = contribution
    const inputs: Digest = inputsOf({ key, pool, limits: options.limits, owner, at, mediaType, told })
    // It may have been stopped, or its keys have moved, while the proof ran.
    if (!mayWork())
      throw new NodeError('INTERRUPTED', `pool ${pool.address}`, 'the node stopped while it judged')
    signed += 1
    return signVerdict({
      verdict,
      context: {
        chainId: pool.chainId,
        registry: sign.deployment.nodeRegistry,
        subject: subjectOf(contribution.id),
        commitment,
        inputs,
        ...(told.rescored === undefined ? {} : { earlierPolicy: told.rescored.policy }),
      },
      privateKey: keys.statementKey,
    })
  }
}

/** Whether a contribution was sealed under the pool's policy, or under an older one whose contributors agreed to be judged again. */
function isServed({ rescoring }: ValidatedPool, { told: { rescored } }: WishedVerdict): boolean {
  return (
    rescored === undefined ||
    rescoring?.earlier.some(({ policyDigest }) => policyDigest === rescored.policy) === true
  )
}
