/**
 * The home's side of a job over pools of several homes. It believes nothing of the node that coordinates but what that node is: it
 * reads chain, votes, policy and budget itself, plans the manifest itself, charges its own pools once, and gives its share to the
 * attested node whose key the first pool of the job has.
 * @module
 */
import type { JobManifest } from '@sealpool/compute'
import {
  type Address,
  type Digest,
  decodeBase64Url,
  type SignedStatement,
  sha256Digest,
} from '@sealpool/crypto'
import type { AuditFact } from '../audit/audit-chain.js'
import { NodeError } from '../errors.js'
import { sealParcel } from '../hand-off/sealed-parcel.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import { keyScope } from '../ingest/served-pool.js'
import { requireDeclared } from '../job/declared-job.js'
import { requireInputs } from '../job/execute-job.js'
import type { JobContext } from '../job/job-context.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import { requireListed, requireOwnKeys } from '../job/job-standing.js'
import { loadManifest } from '../job/load-manifest.js'
import { requireNotStopped } from '../job/not-stopped.js'
import type { PlannedJob } from '../job/planned-job.js'
import { inputsOf, keyEpochs } from '../job/refuse-job.js'
import { requireAnchored, reserveJob } from '../job/reserve-job.js'
import { requireRunnableNow } from '../job/run-job.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { reservedInputs } from '../release/job-inputs.js'
import { receiptPool } from '../release/receipt.js'
import { findJob, grantsOf, type JobRow, type Reservation } from '../state/job-table.js'
import { bookedCharge } from '../state/pglite-ledger.js'
import { keepShare, readShare } from './kept-share.js'
import { ownShare } from './own-share.js'
import { planShare, type SharedPlan } from './plan-shared-job.js'
import { refuseShare } from './refuse-share.js'
import { encodeShareFile } from './share-file.js'
import { signShare } from './share-statement.js'

/** What the node that coordinates asks of a home. */
export interface ShareWish {
  readonly job: string
  /** Digest of the plan, as that node made it. */
  readonly plan: Digest
  /** `look`: whether the home would; `charge`: charge, and give the share. */
  readonly step: 'look' | 'charge'
}

/** What a home answers; reasons are codes, and none depends on data. What it waits for is no refusal: it is asked again. */
export type ShareAnswer =
  | { readonly state: 'willing' }
  | { readonly state: 'given'; readonly sealed: Uint8Array; readonly share: SignedStatement }
  | { readonly state: 'later'; readonly reason: string }
  /** Signed, for one of `shareRefusalReasons`. */
  | { readonly state: 'refused'; readonly refusal: SignedStatement }

/** What other nodes may ask; `caller` is who asks, by its statement key. */
export interface ShareServer {
  share(caller: Address, wish: ShareWish): Promise<ShareAnswer>
}

/** What giving shares needs. */
export interface ServeShareOptions {
  readonly job: JobContext
  /**
   * Verifies the node with a statement key, under the attestation policies of all the pools.
   * @throws NodeError `PEER_NOT_ATTESTED`, `NODE_UNREACHABLE`
   */
  readonly attest: (node: Address, pools: readonly PlannablePool[]) => Promise<AttestedPeer>
  /** Whether this node may work now, as for its own jobs: listed, not stopped, its keys its own, the chain read to its head. */
  readonly mayWork: () => boolean
  /** Takes a place among the jobs that run at once, and answers what gives it back; undefined when all are taken. */
  readonly place: () => (() => void) | undefined
  /** Where refusals are logged. */
  readonly audit: { write(fact: AuditFact): void }
  readonly onError: (error: unknown) => void
}

/** What is charged here, and the plan over all pools. */
interface SharePlan {
  readonly own: PlannedJob
  readonly shared: SharedPlan
}

/** A refusal that is still to be signed. */
interface Refused {
  readonly state: 'refusing'
  readonly reason: string
}
type Decided = Exclude<ShareAnswer, { readonly state: 'refused' }> | Refused

const refused = (reason: string): Refused => ({ state: 'refusing', reason })
const later = (reason: string) => ({ state: 'later', reason }) as const

/** Errors of this node that do not go away by asking again. */
const lasting: readonly string[] = ['JOB_ALREADY_CHARGED', 'STATE_ROLLED_BACK']

/** @returns what other nodes may ask of this home */
export function serveShares(options: ServeShareOptions): ShareServer {
  const { job: context, attest, mayWork, place, onError } = options
  return {
    share: (caller, wish) =>
      context.lock(wish.job, async () => {
        try {
          const decided = await decide(caller, wish)
          if (decided.state !== 'refusing') return decided
          return await refuseShare({ ...options, job: context }, { caller, wish, reason: decided.reason })
        } catch (error) {
          onError(error)
          return later('HOME_FAILED')
        }
      }),
  }

  async function decide(caller: Address, wish: ShareWish): Promise<Decided> {
    try {
      return await answerTo(caller, wish)
    } catch (error) {
      if (error instanceof JobRefusal) return refused(error.code)
      if (error instanceof JobPutOff) return later(error.code)
      if (!(error instanceof NodeError)) throw error
      if (error.code !== 'PEER_NOT_ATTESTED' && !lasting.includes(error.code)) throw error
      onError(error)
      return refused(error.code === 'PEER_NOT_ATTESTED' ? 'COORDINATOR_NOT_ATTESTED' : error.code)
    }
  }

  async function answerTo(caller: Address, { job: id, plan, step }: ShareWish): Promise<Decided> {
    const { store, chain } = context
    // A charge that this disk has forgotten, a vote or a withdrawal may stand in what is not read yet.
    if (!mayWork()) return later('CHAIN_BEHIND')
    const job = await findJob(store, id)
    if (job === undefined || job.state === 'seen') return later('CHAIN_BEHIND')
    if (job.detached || (job.state !== 'waiting' && job.state !== 'running')) return refused('SHARE_JOB')
    const standing = await requireCoordinator(caller, job, step)
    if (standing !== undefined) return standing
    await requireListed(context)
    requireNotStopped(context)
    await requireOwnKeys(context, job)
    const votes = await grantsOf(store, job)
    const own = job.pools.filter((pool) => context.pools.has(pool))
    if (own.length === 0 || !own.every((pool) => votes.some((vote) => vote.pool === pool)))
      return refused('JOB_NOT_APPROVED')
    const { timestamp } = await chain.head()
    for (const pool of own) if ((await chain.pool(pool)).pausedUntil > timestamp) return later('POOL_PAUSED')
    const manifest = await loadManifest(context, job)
    const planned = await planShare(context, manifest)
    if (planned.shared === undefined || planned.shared.planDigest !== plan) return refused('PLAN_DIFFERS')
    const { shared } = planned
    if (job.reservation === null) await requireDeclared(chain, id, { manifest, planned: shared })
    const pools = shared.charges.map(({ pool }) => pool)
    const peer = await attest(caller, pools)
    if (peer.statementAddress !== caller) return refused('COORDINATOR_NOT_ATTESTED')
    if (job.reservation === null) await requireRunnableNow(context, job, planned.own)
    if (step === 'look') return { state: 'willing' }
    // Nothing is charged that would have to wait for an engine; a share that was kept needs none.
    const free = (await isKept(job)) ? () => undefined : place()
    if (free === undefined) return later('BUSY')
    try {
      return await charge(job, { manifest, own: planned.own, shared }, peer)
    } finally {
      free()
    }
  }

  async function isKept({ id, reservation }: JobRow): Promise<boolean> {
    return reservation !== null && (await readShare(context.store, id, reservation.charge)) !== undefined
  }

  async function charge(
    job: JobRow,
    planned: SharePlan & { readonly manifest: JobManifest },
    peer: AttestedPeer,
  ): Promise<Decided> {
    const { store } = context
    const { own, manifest } = planned
    const reservation = await reserveJob(context, job, { manifest, planned: own })
    await requireAnchored(context, reservation)
    const bytes = await shareOf(job, planned, reservation)
    const answer = await give(job, planned, reservation, { bytes, peer })
    await requireListed(context)
    requireNotStopped(context)
    // A share that was kept is given again only while everything that it was counted from still stands.
    await requireInputs(store, reservation)
    return mayWork() ? answer : later('CHAIN_BEHIND')
  }

  /** The chain says who coordinates: the node whose key the first pool has, and that has begun the job when it is charged. */
  async function requireCoordinator(
    caller: Address,
    { id, pools, manifestDigest }: JobRow,
    step: ShareWish['step'],
  ): Promise<Decided | undefined> {
    const { chain } = context
    const [first] = pools
    const [{ state, node, suspended }, terms] = await Promise.all([chain.jobState(id), chain.jobTerms(id)])
    const same = terms.manifestDigest === manifestDigest && terms.pools.join() === pools.join()
    if (first === undefined || !same) return refused('SHARE_JOB')
    const home = (await chain.pool(first)).keyEpoch?.node
    if (home?.toLowerCase() !== caller) return refused('SHARE_JOB')
    if (suspended) return later('JOB_SUSPENDED')
    const begun = state === 'Running' && node === caller
    const free = (state === 'Funded' || state === 'Assigned') && (node === null || node === caller)
    return begun || (step === 'look' && free) ? undefined : refused('SHARE_JOB')
  }

  /** Computed once: whoever asks again gets the same numbers under the same charge. */
  async function shareOf(job: JobRow, planned: SharePlan, reservation: Reservation): Promise<Uint8Array> {
    const of = { job: job.id, manifest: job.manifestDigest, plan: planned.shared.planDigest }
    const kept = await readShare(context.store, job.id, reservation.charge)
    if (kept !== undefined) return kept
    const made = await ownShare(context, planned, reservation)
    const bytes = encodeShareFile({ ...of, ...made, salt: context.random(32) })
    await context.store.transaction(async (tx) => {
      // What an owner took back meanwhile is in no share.
      await requireInputs(tx, reservation)
      await keepShare(tx, job.id, reservation.charge, bytes)
    })
    return bytes
  }

  async function give(
    job: JobRow,
    planned: SharePlan,
    reservation: Reservation,
    { bytes, peer }: { readonly bytes: Uint8Array; readonly peer: AttestedPeer },
  ): Promise<Decided> {
    const { store, chain, keys, evidence, random } = context
    const served = planned.own.charges.map(({ pool }) => pool)
    const epochs = await keyEpochs(context, served)
    const [first] = served
    if (first === undefined) return refused('SHARE_JOB')
    const sealed = await sealParcel(bytes, {
      kind: 'share',
      publicKey: decodeBase64Url(peer.keySet.hpke.publicKey),
      scope: keyScope(first, epochs.get(first.address) ?? 0),
      random,
    })
    const inputs = await reservedInputs(store, reservation)
    const pools = await Promise.all(
      served.map(async (pool) => {
        const { budget, ...rest } = receiptPool({
          pool,
          epoch: epochs.get(pool.address) ?? 0,
          inputs: inputsOf(inputs, pool.address),
          booked: (await bookedCharge(store, pool.address, reservation.charge)) ?? null,
        })
        if (budget === null) throw new RangeError('a pool that was reserved was charged')
        return { ...rest, budget }
      }),
    )
    const share = signShare(context.sign, {
      job: job.id,
      manifest: job.manifestDigest,
      plan: planned.shared.planDigest,
      coordinator: peer.statementAddress,
      coordinatorKeys: peer.keySetDigest,
      pools,
      share: sha256Digest(bytes),
      sealed: sha256Digest(sealed),
      keySet: keys.keySetDigest,
      quote: evidence.quoteDigest,
      isolation: context.isolation,
      simulated: evidence.simulated,
      issuedAt: new Date((await chain.head()).timestamp * 1000).toISOString(),
    })
    return { state: 'given', sealed, share }
  }
}
