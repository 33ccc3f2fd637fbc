/**
 * Visits to the node that has a job, or a shard of one: attests it, gives it the tables under keys of this transfer, takes what it gives
 * back, and believes of it what it can check.
 * @module
 */
import { type Address, CryptoError, decodeBase64Url, sha256Digest } from '@sealpool/crypto'
import { inOrder } from '../chain/in-order.js'
import { NodeError, type NodeErrorCode } from '../errors.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import type { JobRow } from '../state/job-table.js'
import { acceptAnswer, type TakenOutcome } from './accept-answer.js'
import { faults, type runnerSearch, silence, waitsForNodes } from './find-runner.js'
import type { HandOffHomeOptions } from './hand-off-home.js'
import { type HandOffFacts, readTransferKey } from './hand-off-statements.js'
import type { handOffTurns } from './hand-off-turns.js'
import type { HandOffVisit } from './hand-off-visit.js'
import {
  forgetHandOff,
  isDamagedNote,
  type KeptHandOff,
  keepHandOff,
  keepWork,
  type LeftTransfer,
  readHandOff,
} from './kept-hand-off.js'
import { encodeLeash } from './leash.js'
import { answerKeys, leashOf, prepareParts } from './make-leash.js'
import { partsDigest } from './run-handed-job.js'
import type { Reached, runnerLines } from './runner-lines.js'
import { sealParcel } from './sealed-parcel.js'
import { sendFiles } from './send-files.js'
import { jobOfSlot, type Slot, shardText, slotOf } from './shard.js'
import { signsOfLife } from './signs-of-life.js'

/** What the node of a transfer has given back, which stood up to all checks. */
export interface Taken {
  readonly outcome: TakenOutcome
  readonly facts: HandOffFacts
}

/** Transfers, each of a job or of one of its shards. */
export interface TransferVisits {
  /**
   * Goes on with a transfer as far as it goes now.
   * @returns what its node has given back
   * @throws JobPutOff `HANDED_OFF`, `HAND_OFF_WAITS`; JobRefusal `EXECUTION_FAILED`, `TOO_FEW_CONTRIBUTORS_AFTER_NOISE`
   */
  visit(asked: HandOffVisit): Promise<Taken>
  /** Ends a transfer: what the other node has of it is destroyed there, as far as it can be reached, and here. */
  end(slot: Slot): Promise<void>
}

/** What transfers need besides what handing off does. */
export interface TransferVisitsOptions extends HandOffHomeOptions {
  readonly lines: ReturnType<typeof runnerLines>
  readonly search: ReturnType<typeof runnerSearch>
  readonly turns: ReturnType<typeof handOffTurns>
}

/** Its own disk has lost what was to be sent. */
const lost: NodeErrorCode = 'HAND_OFF_FILES_LOST'
/** Refusals that mean: later. */
const patience: readonly string[] = ['RATE_LIMITED', 'BUSY', 'HAND_OFF_NOT_READY']
const pollSeconds = 2

/** Opens transfers of this node. */
export function transferVisits(options: TransferVisitsOptions): TransferVisits {
  const { store, chain, keys, files, nodes, now, search } = options
  const { first, remembered, withoutTransfer, giveUp, keyOf } = options.turns
  const { reach, lineOf, forget } = options.lines
  const beats = signsOfLife(options)
  // One file after the other, of whatever job: each has a row group in memory.
  const preparing = inOrder()
  /**
   * One node alone keeps its turn: to begin anew would only take longer. So does one that works while no other may, see `passOn`, and one that
   * has a shard: nobody else is ever given that.
   */
  const turnIsOver = ({ transfer, turnAt, shard }: KeptHandOff): boolean =>
    nodes.length > 1 &&
    shard === undefined &&
    now() - turnAt > (transfer === null ? options.patienceSeconds : options.turnSeconds)
  const under = (text: string, retryAfter = pollSeconds): JobPutOff =>
    new JobPutOff('HANDED_OFF', `another attested node has the job: ${text}`, undefined, retryAfter)

  /** As far as they can be reached; a transfer also ends by itself when nobody asks. */
  const endThere = async (slot: Slot, transfers: readonly LeftTransfer[]): Promise<void> => {
    const ended = transfers.map(async (one) => (await lineOf(jobOfSlot(slot), one))?.end(one.id))
    await Promise.all(ended.map((one) => one.catch(options.onError)))
  }

  const end = async (slot: Slot): Promise<void> => {
    beats.forget(slot)
    try {
      const kept = await readHandOff(store, slot)
      const last = kept?.transfer ?? null
      await endThere(slot, [...(kept?.left ?? []), ...(last === null ? [] : [last])])
    } catch (error) {
      // Who has what cannot be told from a damaged note; a transfer also ends by itself.
      if (!isDamagedNote(error)) throw error
      options.onError(error)
    }
    await files.remove(slot)
    await forgetHandOff(store, slot)
  }

  return {
    async visit(asked) {
      const slot = slotOf(asked.job.id, asked.shard)
      const before = await remembered(slot).catch(failJob)
      await beats.whenDue(slot, asked.beat, before !== undefined)
      const kept = before ?? first(slot)
      if (kept.transfer === null && turnIsOver(kept)) throw await next(slot, kept)
      const url = kept.shard?.url ?? kept.transfer?.url ?? nodes[kept.attempt % nodes.length]
      if (url === undefined || !nodes.includes(url)) {
        await keepHandOff(store, slot, giveUp(slot, kept))
        throw waitsForNodes()
      }
      try {
        return await goOn(asked, kept, await reach(url, asked, kept.transfer !== null))
      } catch (error) {
        if (!(error instanceof NodeError) || ![...silence, ...faults, lost].includes(error.code)) throw error
        // As it stands now: the transfer may have begun in this very visit.
        const standing = (await remembered(slot)) ?? kept
        if (error.code === lost) {
          await keepHandOff(store, slot, withoutTransfer(slot, standing))
          throw waitsForNodes(error)
        }
        options.onError(error)
        forget(url)
        const silent = silence.includes(error.code) && now() - standing.reachedAt <= options.patienceSeconds
        if (standing.transfer === null || !silent) await keepHandOff(store, slot, giveUp(slot, standing))
        throw waitsForNodes(error)
      }
    },
    end,
  }

  /** Gives the present node up, which is told so; it is the next one's turn. */
  async function next(
    slot: Slot,
    kept: KeptHandOff,
    { cause, attempt }: { readonly cause?: unknown; readonly attempt?: number } = {},
  ): Promise<JobPutOff> {
    const given = giveUp(slot, kept)
    await keepHandOff(store, slot, { ...given, attempt: attempt ?? given.attempt })
    if (kept.transfer !== null) await endThere(slot, [kept.transfer])
    return waitsForNodes(cause)
  }

  /**
   * The turn of a node that has no answer yet is over: another one has the next, if there is one that may run the job; what this one
   * has done so far is thrown away for no less.
   * @returns what is remembered when there is none: it goes on for a while, and the others are looked for again
   */
  async function passOn(asked: HandOffVisit, kept: KeptHandOff): Promise<KeptHandOff> {
    const order = nodes.map((_, ahead) => kept.attempt + 1 + ahead)
    const urlOf = (attempt: number) => nodes[attempt % nodes.length] ?? ''
    const others = order.filter((attempt) => urlOf(attempt) !== kept.transfer?.url)
    const found = await search.one(others.map(urlOf), asked)
    const attempt = others.find((one) => urlOf(one) === found.url)
    if (attempt !== undefined) throw await next(slotOf(asked.job.id), kept, { attempt })
    const goesOn = { ...kept, turnAt: now() - options.turnSeconds + options.patienceSeconds }
    await keepHandOff(store, slotOf(asked.job.id), goesOn)
    return goesOn
  }

  async function goOn(asked: HandOffVisit, before: KeptHandOff, reached: Reached): Promise<Taken> {
    const { job } = asked
    const slot = slotOf(job.id, asked.shard)
    const { line, peer } = reached
    if (before.shard !== undefined && before.shard.node !== peer.statementAddress) {
      throw new NodeError(
        'PEER_NOT_ATTESTED',
        peer.url,
        'another node answers than the one that has this shard',
      )
    }
    let kept: KeptHandOff = { ...before, reachedAt: now() }
    if (kept.transfer !== null && kept.transfer.keySet !== peer.keySetDigest) {
      const over = turnIsOver(kept)
      kept = withoutTransfer(slot, kept)
      if (over) throw await next(slot, kept)
    }
    if (kept.transfer === null) {
      kept = await begin(asked, kept, reached)
      await keepHandOff(store, slot, kept)
    }
    const { transfer } = kept
    if (transfer === null) throw waitsForNodes()
    let state = await line.status(transfer.id)
    if ('refused' in state) throw await refusedCall(asked, kept, state.refused)
    // An answer that is there counts, however late it is asked for.
    const works = state.state === 'receiving' || state.state === 'running'
    if (works && turnIsOver(kept)) kept = await passOn(asked, kept)
    if (state.state === 'receiving') {
      const announced = await line.announce(transfer.id, transfer.files)
      const sent =
        'refused' in announced || announced.state !== 'receiving'
          ? announced
          : await sendFiles({
              line,
              transfer: transfer.id,
              list: transfer.files,
              state: announced,
              read: (file, offset, length) => files.read(slot, file, offset, length),
              goOn: untilSeconds(options.sendSeconds),
            })
      if ('refused' in sent) throw await refusedCall(asked, kept, sent.refused)
      state = sent
    }
    await keepHandOff(store, slot, kept)
    if (state.state === 'receiving') throw under('its files are sent', 0)
    if (state.state === 'running') throw under('it runs')
    if (state.state === 'refused') {
      options.onError(new Error(`${peer.url} refused job ${job.id}: ${state.code}`))
      throw await next(slot, kept, { cause: new Error(state.code) })
    }
    const answer = await line.answer(transfer.id)
    if ('refused' in answer) throw await refusedCall(asked, kept, answer.refused)
    return take(asked, kept, reached, answer)
  }

  /** @returns what becomes of the job when its node refuses a call */
  async function refusedCall(asked: HandOffVisit, kept: KeptHandOff, code: string): Promise<JobPutOff> {
    const slot = slotOf(asked.job.id, asked.shard)
    if (patience.includes(code)) {
      // With it, since when the node has its turn: asking for patience does not keep it.
      await keepHandOff(store, slot, kept)
      if (kept.transfer !== null && turnIsOver(kept)) await passOn(asked, kept)
      return under('it asks for patience')
    }
    if (code !== 'HAND_OFF_UNKNOWN') return next(slot, kept, { cause: new Error(code) })
    // It was started anew, or has given up waiting: another transfer, to the same node.
    await keepHandOff(store, slot, withoutTransfer(slot, kept))
    return waitsForNodes(new Error(code))
  }

  function untilSeconds(seconds: number): () => boolean {
    const until = now() + seconds
    return () => now() < until
  }

  /** Begins a transfer: a key of the other node for this job, and the leash sealed to it. */
  async function begin(
    asked: HandOffVisit,
    kept: KeptHandOff,
    { peer, line }: Reached,
  ): Promise<KeptHandOff> {
    const { job } = asked
    const slot = slotOf(job.id, asked.shard)
    const jobKey = keyOf(slot, kept)
    const parts = kept.parts ?? (await preparing(() => prepareParts(files, asked, jobKey)))
    const opened = await line.open({ job: job.id, manifest: job.manifestDigest })
    if ('refused' in opened) throw await refusedCall(asked, { ...kept, parts }, opened.refused)
    const key = readTransferKey(opened.key, {
      signer: peer.statementAddress,
      deployment: options.sign.deployment,
      pool: firstPool(job),
      job: job.id,
    })
    const own =
      key !== undefined &&
      key.transfer === opened.transfer &&
      key.job === job.id &&
      key.home === keys.statementAddress &&
      key.manifest === job.manifestDigest &&
      key.keySet === peer.keySetDigest
    if (!own)
      throw new NodeError('HAND_OFF_REFUSED', peer.url, 'the key of the transfer is not signed for it')
    const leash = await leashOf(options, asked, { id: opened.transfer, key: jobKey, parts })
    const bytes = encodeLeash(leash)
    const sealed = await sealParcel(bytes, {
      kind: 'leash',
      publicKey: decodeBase64Url(key.publicKey),
      scope: scopeOf(asked),
      random: options.random,
    }).catch((cause: unknown) => {
      if (!(cause instanceof CryptoError)) throw cause
      throw new NodeError('HAND_OFF_REFUSED', peer.url, 'nothing can be sealed to the key of the transfer', {
        cause,
      })
    })
    bytes.fill(0)
    await files.write(slot, 0, 0, sealed)
    const list = [{ bytes: sealed.length, digest: sha256Digest(sealed) }, ...parts]
    const transfer = {
      id: opened.transfer,
      url: peer.url,
      node: peer.statementAddress,
      keySet: peer.keySetDigest,
      files: list,
    }
    return { ...kept, parts, transfer }
  }

  async function take(
    asked: HandOffVisit,
    kept: KeptHandOff,
    { peer }: Reached,
    given: { readonly sealed: Uint8Array; readonly work: unknown },
  ): Promise<Taken> {
    const { key, parts, transfer } = kept
    if (transfer === null || parts === null) throw waitsForNodes()
    const { job, planned, shard } = asked
    const slot = slotOf(job.id, shard)
    const { privateKey } = answerKeys(keyOf(slot, { key }))
    const { outcome, work } = await acceptAnswer({
      given,
      planned,
      privateKey,
      scope: scopeOf(asked),
      deployment: options.sign.deployment,
      url: peer.url,
      signer: transfer.node,
      expected: {
        transfer: transfer.id,
        job: job.id,
        home: keys.statementAddress,
        manifest: job.manifestDigest,
        plan: planned.planDigest,
        parts: partsDigest(parts),
        keySet: transfer.keySet,
        simulated: peer.simulated,
        ...(shard === undefined ? {} : { shard: shardText(shard) }),
      },
    }).finally(() => privateKey.fill(0))
    await store.transaction(async (tx) => {
      await keepWork(tx, slot, work.signed)
      if (shard !== undefined) await keepHandOff(tx, slot, { ...kept, given: true })
    })
    const { isolation } = work.body
    return {
      outcome,
      facts: {
        node: transfer.node,
        keySet: transfer.keySet,
        isolation,
        work: work.signed,
        ...(peer.gpu === undefined ? {} : { gpu: peer.gpu }),
      },
    }
  }

  function scopeOf({ job, planned }: HandOffVisit) {
    const pool = firstPool(job)
    const policyDigest = planned.charges.find((one) => one.pool.address === pool)?.pool.policyDigest
    if (policyDigest === undefined) throw new RangeError('the first pool of a job is charged')
    return { chainId: chain.chainId, pool, policyDigest, epoch: 0 } as const
  }
}

/** @throws JobRefusal `EXECUTION_FAILED` for a damaged note, and else the error as it is */
export function failJob(error: unknown): never {
  throw isDamagedNote(error) ? JobRefusal.of('EXECUTION_FAILED', error) : error
}

function firstPool({ pools }: Pick<JobRow, 'pools'>): Address {
  const [pool] = pools
  if (pool === undefined) throw new RangeError('a job has a pool')
  return pool
}
