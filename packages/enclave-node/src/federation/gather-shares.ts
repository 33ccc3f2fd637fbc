/**
 * The side of the node that coordinates: finds and attests the other homes of a job, asks all of them before anything is charged,
 * then takes all their shares or none.
 * @module
 */
import { type Address, CryptoError, decodeBase64Url } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import type { JobContext } from '../job/job-context.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { PeerLine } from '../peer/call-peer.js'
import { acceptRefusal } from './accept-refusal.js'
import { acceptShare, type ExpectedShare } from './accept-share.js'
import { requireAnchoredCharge } from './anchored-charge.js'
import type { Federation, GivenShare, SharedJob } from './federation.js'
import { forgetTakenShares, keepTakenShare } from './kept-share.js'
import type { GivenRefusal, ShareRefusalReason } from './refusal-statement.js'
import type { ShareWish } from './serve-share.js'

/** What gathering needs. */
export interface GatherOptions
  extends Pick<JobContext, 'store' | 'chain' | 'keys' | 'sign' | 'now'>,
    Pick<Federation, 'pools'> {
  /** Seconds for which a job waits for homes that are silent. */
  readonly patienceSeconds: number
  readonly heartbeatSeconds: number
  /** Verifies the node with a statement key, see `ServeShareOptions.attest`. */
  readonly attest: (node: Address, pools: readonly PlannablePool[]) => Promise<AttestedPeer>
  readonly call: (peer: AttestedPeer) => PeerLine
  readonly onError: (error: unknown) => void
}

const pollSeconds = 2

/** Seconds after which a job that was not looked at is taken to have been left alone by this node itself. */
const awaySeconds = 600

/** What a home waits for itself, as a node does with its own jobs: no silence. */
const waiting: readonly string[] = [
  'ANCHOR_NOT_CONFIRMED',
  'BUSY',
  'CHAIN_BEHIND',
  'CONSENTS_SWITCHED',
  'POLICY_SWITCHED',
  'JOB_SUSPENDED',
  'KEEP_SWITCHED',
  'NODE_NOT_LISTED',
  'NODE_STOPPED',
  'POOL_PAUSED',
  'RESTRICTION_UNKNOWN',
  'TABLES_REBUILT',
]

/** One of the two reads the chain a block ahead: its plan, its votes, who has begun the job. Or they will never agree, which patience ends. */
const aheadOrBehind: readonly ShareRefusalReason[] = ['JOB_NOT_APPROVED', 'PLAN_DIFFERS', 'SHARE_JOB']

/** Another home that reads something otherwise is asked again. */
class HomeDiffers extends JobPutOff {
  /** What the home has signed for, when it said so itself. */
  readonly refusal: GivenRefusal | undefined

  constructor(cause?: unknown, refusal?: GivenRefusal) {
    const text = 'another home of the job reads plan, policy, votes or keys otherwise; it is asked again'
    super('HOME_DIFFERS', text, cause, pollSeconds)
    this.refusal = refusal
  }
}

const answerSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('willing') }),
  z.object({ state: z.literal('given'), sealed: z.string(), share: z.json() }),
  z.object({ state: z.literal('later'), reason: z.string().max(100) }),
  z.object({ state: z.literal('refused'), refusal: z.json() }),
])

/** A home of a job, and its pools of it. */
interface JobHome {
  readonly node: Address
  readonly pools: ExpectedShare['pools']
}

/** @returns the other homes, to this node */
export function openFederation(options: GatherOptions): Federation {
  const { store, chain, keys, now } = options
  const beats = new Map<string, number>()
  /** Since when a home of a job is silent, and when it was last noticed: this node's own absence is nobody's silence. */
  const silent = new Map<string, { readonly since: number; readonly last: number }>()

  /** The other homes of a job, by whose key their pools have on the chain. */
  const homesOf = async ({ planned }: SharedJob): Promise<readonly JobHome[]> => {
    const homes = new Map<Address, JobHome>()
    for (const charge of planned.charges) {
      if (!options.pools.has(charge.pool.address)) continue
      const { keyEpoch } = await chain.pool(charge.pool.address)
      if (keyEpoch === null) throw JobRefusal.of('POOL_NOT_SERVED')
      const node = keyEpoch.node.toLowerCase() as Address
      const pools = [...(homes.get(node)?.pools ?? []), { ...charge, epoch: keyEpoch.epoch }]
      homes.set(node, { node, pools })
    }
    return [...homes.values()]
  }

  const ask = async (shared: SharedJob, home: JobHome, step: ShareWish['step']) => {
    const [pool] = shared.job.pools
    if (pool === undefined) throw new RangeError('a job is over pools')
    const pools = shared.planned.charges.map(({ pool }) => pool)
    const peer = await options.attest(home.node, pools)
    const body: ShareWish = { job: shared.job.id, plan: shared.planned.planDigest, step }
    const answer = await options.call(peer)({
      method: 'POST',
      path: '/v1/federation/share',
      body: { ...body },
    })
    const read = answerSchema.safeParse(answer.body)
    // An error of its API: it is busy, starts anew, or takes part in no federation.
    if (answer.status !== 200 || !read.success)
      throw new NodeError(
        'NODE_UNREACHABLE',
        peer.url,
        'the home did not answer what it was asked; try again',
      )
    const given = read.data
    if (given.state === 'refused') {
      const refusal = acceptRefusal({
        refusal: given.refusal,
        peer,
        deployment: options.sign.deployment,
        expected: {
          ...body,
          manifest: shared.job.manifestDigest,
          coordinator: keys.statementAddress,
          pool,
        },
      })
      if (aheadOrBehind.includes(refusal.body.reason)) throw new HomeDiffers(undefined, refusal)
      throw JobRefusal.ofHome(refusal)
    }
    if (given.state === 'later') {
      const code = waiting.includes(given.reason) ? 'HOME_WAITS' : 'HOME_SILENT'
      throw new JobPutOff(code, `another home of the job waits (${given.reason})`, undefined, pollSeconds)
    }
    if (step === 'look') {
      if (given.state === 'willing') return undefined
      throw new NodeError('PEER_ANSWER_INVALID', peer.url, 'the home gave a share that it was not asked for')
    }
    if (given.state !== 'given') throw new NodeError('SHARE_REFUSED', peer.url, 'the home gave no share')
    let sealed: Uint8Array
    try {
      sealed = decodeBase64Url(given.sealed)
    } catch (cause) {
      if (!(cause instanceof CryptoError)) throw cause
      throw new NodeError('SHARE_REFUSED', peer.url, 'the share is not base64url', { cause })
    }
    return acceptShare({
      given: { sealed, share: given.share },
      peer,
      privateKey: keys.hpkePrivateKey,
      chainId: chain.chainId,
      deployment: options.sign.deployment,
      expected: {
        job: shared.job.id,
        manifest: shared.job.manifestDigest,
        plan: shared.planned.planDigest,
        coordinator: keys.statementAddress,
        coordinatorKeys: keys.keySetDigest,
        pools: home.pools,
      },
    })
  }

  /** Whoever is silent is waited for, as long as the settings say; who is not what it has to be is not. */
  const patiently = async <T>(shared: SharedJob, work: () => Promise<T>): Promise<T> => {
    try {
      const done = await work()
      silent.delete(shared.job.id)
      return done
    } catch (error) {
      const waits = error instanceof JobPutOff && error.code === 'HOME_WAITS'
      if (waits || error instanceof JobRefusal) silent.delete(shared.job.id)
      if (error instanceof JobRefusal) throw error
      options.onError(error)
      if (error instanceof NodeError && error.code === 'PEER_NOT_ATTESTED')
        throw JobRefusal.of('HOME_NOT_ATTESTED', error)
      if (error instanceof NodeError && error.code === 'SHARE_REFUSED')
        throw JobRefusal.of('EXECUTION_FAILED', error)
      if (waits) throw error
      const missing = error instanceof NodeError && silence.includes(error.code)
      const differing = error instanceof NodeError && error.code === 'SHARE_DIFFERS'
      if (!(error instanceof JobPutOff) && !missing && !differing) throw error
      const put = differing ? new HomeDiffers(error) : error
      if (now() - silentSince(shared.job.id) > options.patienceSeconds) {
        silent.delete(shared.job.id)
        if (!(put instanceof HomeDiffers)) throw JobRefusal.of('HOME_SILENT', error)
        throw put.refusal === undefined
          ? JobRefusal.of('HOME_REFUSED', error)
          : JobRefusal.ofHome(put.refusal)
      }
      if (put instanceof JobPutOff) throw put
      const text = 'another home of the job does not answer; it is asked again'
      throw new JobPutOff('HOME_SILENT', text, error, pollSeconds)
    }
  }

  return {
    pools: options.pools,
    look: (shared) =>
      patiently(shared, async () => {
        for (const home of await homesOf(shared)) await ask(shared, home, 'look')
      }),
    gather: (shared, beat) =>
      patiently(shared, async () => {
        await beatWhenDue(shared.job.id, beat)
        const all: GivenShare[] = []
        let wait: JobPutOff | undefined
        // All are asked before one that waits is waited for; what they have signed is kept, for the receipt of whatever end the job has.
        // One that cannot be reached ends the visit: the job may end by it, and no further home is to be charged for nothing.
        for (const home of await homesOf(shared)) {
          try {
            const given = await ask(shared, home, 'charge')
            if (given === undefined) continue
            await keepTakenShare(store, shared.job.id, given)
            all.push(given)
          } catch (error) {
            if (!(error instanceof JobPutOff)) throw error
            wait ??= error
          }
        }
        for (const { body } of all) {
          try {
            await requireAnchoredCharge(chain, body)
          } catch (error) {
            if (error instanceof NodeError) await forgetTakenShares(store, shared.job.id)
            throw error
          }
        }
        if (wait !== undefined) throw wait
        beats.delete(shared.job.id)
        return all
      }),
  }

  function silentSince(job: string): number {
    const before = silent.get(job)
    const away = before === undefined || now() - before.last > Math.max(options.patienceSeconds, awaySeconds)
    const since = away ? now() : before.since
    silent.set(job, { since, last: now() })
    return since
  }

  /** A visit may end before the job's own signs of life do anything. */
  async function beatWhenDue(job: string, beat: () => Promise<void>): Promise<void> {
    const last = beats.get(job)
    if (last !== undefined && now() - last < options.heartbeatSeconds) return
    beats.set(job, now())
    if (last !== undefined) await beat().catch(options.onError)
  }
}

/** Nothing came through: the home is away, or somebody stands in the way. */
const silence: readonly string[] = ['NODE_UNREACHABLE', 'PEER_ANSWER_INVALID']
