/**
 * The node that keeps the pools and has a job run elsewhere: attests the other node, gives it this job's tables under this job's
 * keys, takes its answer, and believes of it what it can check. Budget, charge, release and receipt stay here.
 * @module
 */
import { type Address, CryptoError, decodeBase64Url, sha256Digest } from '@sealpool/crypto'
import { NodeError, type NodeErrorCode } from '../errors.js'
import type { ExecutedJob } from '../job/execute-job.js'
import type { JobContext } from '../job/job-context.js'
import { JobPutOff, JobRefusal } from '../job/job-refusal.js'
import type { JobRow } from '../state/job-table.js'
import { acceptAnswer } from './accept-answer.js'
import { faults, runnerSearch, silence } from './find-runner.js'
import { HandOffRefusal } from './hand-off-refusal.js'
import { readTransferKey } from './hand-off-statements.js'
import { handOffTurns } from './hand-off-turns.js'
import type { HandOffVisit } from './hand-off-visit.js'
import {
  forgetHandOff,
  isHandOffKept,
  type KeptHandOff,
  keepHandOff,
  keepWork,
  type LeftTransfer,
  readHandOff,
} from './kept-hand-off.js'
import { encodeLeash } from './leash.js'
import { answerKeys, leashOf, prepareParts } from './make-leash.js'
import { partsDigest } from './run-handed-job.js'
import { type Reached, type RunnerLinesOptions, runnerLines } from './runner-lines.js'
import { sealParcel } from './sealed-parcel.js'
import { sendFiles } from './send-files.js'
import type { TransferFiles } from './transfer-files.js'

/** Jobs that other nodes run for this one. */
export interface HandOffHome {
  /**
   * Goes on with a job's hand-off as far as it goes now.
   * @returns the answer; or that this node is to run the job itself, since nobody did in time and the manifest allows it
   * @throws JobPutOff `HANDED_OFF`, `HAND_OFF_WAITS`; JobRefusal `EXECUTION_FAILED`, `TOO_FEW_CONTRIBUTORS_AFTER_NOISE`
   */
  visit(asked: HandOffVisit): Promise<ExecutedJob | 'home'>
  /** Removes what lies here of a job's hand-off, and lets the other node be: its keys are destroyed, see `destroyJobKeys`. */
  removeFiles(job: string): Promise<void>
  /** Ends a job's hand-off: what the other node has of it is destroyed there, as far as it can be reached, and here. */
  end(job: string): Promise<void>
  /**
   * Sees to it that there is a node that may run a job, before the job costs anything.
   * @throws JobPutOff `HAND_OFF_WAITS` when none that the manifest names can be attested now
   */
  requireRunner(asked: Pick<HandOffVisit, 'manifest' | 'planned'>): Promise<void>
}

/** What handing off needs. */
export interface HandOffHomeOptions
  extends RunnerLinesOptions,
    Pick<JobContext, 'store' | 'chain' | 'blobStore' | 'keys' | 'jobKeys' | 'sign' | 'random' | 'now'> {
  /** Seconds for which a node that has begun may be silent before the next one is tried. */
  readonly patienceSeconds: number
  /** Seconds after which a node that has begun, and still has no answer, loses its turn to another one. */
  readonly turnSeconds: number
  /** Seconds that one visit may send for; other jobs wait meanwhile. */
  readonly sendSeconds: number
  readonly heartbeatSeconds: number
  readonly files: TransferFiles
  /** Resolves when nodes that may run a job, and have not answered, are waited for no longer. */
  readonly enough: () => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Its own disk has lost what was to be sent. */
const lost: NodeErrorCode = 'HAND_OFF_FILES_LOST'
/** Refusals that mean: later. */
const patience: readonly string[] = ['RATE_LIMITED', 'BUSY', 'HAND_OFF_NOT_READY']
const pollSeconds = 2

/** Opens hand-offs of this node. */
export function openHandOffHome(options: HandOffHomeOptions): HandOffHome {
  const { store, chain, keys, jobKeys, files, nodes, now } = options
  const { first, remembered, withoutTransfer, giveUp, keyOf } = handOffTurns(options)
  const { reach, lineOf, forget } = runnerLines(options)
  const search = runnerSearch({ ...options, reach: (url, asked) => reach(url, asked, false) })
  const beats = new Map<string, number>()
  /** One node alone keeps its turn: to begin anew would only take longer. So does one that works while no other may: see `passOn`. */
  const turnIsOver = ({ transfer, turnAt }: KeptHandOff): boolean =>
    nodes.length > 1 && now() - turnAt > (transfer === null ? options.patienceSeconds : options.turnSeconds)
  const waits = (cause?: unknown): JobPutOff =>
    new JobPutOff(
      'HAND_OFF_WAITS',
      'no attested node runs the job at the moment; the next one is asked',
      cause,
    )
  const under = (text: string, retryAfter = pollSeconds): JobPutOff =>
    new JobPutOff('HANDED_OFF', `another attested node has the job: ${text}`, undefined, retryAfter)

  /** As far as they can be reached; a transfer also ends by itself when nobody asks. */
  const endThere = async (job: string, transfers: readonly LeftTransfer[]): Promise<void> => {
    const ended = transfers.map(async (one) => (await lineOf(job, one))?.end(one.id))
    await Promise.all(ended.map((one) => one.catch(options.onError)))
  }

  const end = async (job: string): Promise<void> => {
    beats.delete(job)
    jobKeys.end(job, 'hand-off')
    if (!(await isHandOffKept(store, job))) return
    try {
      const kept = await readHandOff(store, job)
      const last = kept?.transfer ?? null
      await endThere(job, [...(kept?.left ?? []), ...(last === null ? [] : [last])])
    } catch (error) {
      // Who has what cannot be told from a damaged note; a transfer also ends by itself.
      if (!isDamage(error)) throw error
      options.onError(error)
    }
    await files.remove(job)
    await forgetHandOff(store, job)
  }

  return {
    async visit(asked) {
      const { job, manifest } = asked
      const { handOff } = manifest
      if (handOff === undefined) return 'home'
      if ((await chain.head()).timestamp >= handOff.expiresAt) {
        await end(job.id)
        if (handOff.fallback === 'home') return 'home'
        throw JobRefusal.of('EXECUTION_FAILED', new HandOffRefusal('LEASH_EXPIRED'))
      }
      const before = await remembered(job.id).catch((error: unknown) => {
        throw isDamage(error) ? JobRefusal.of('EXECUTION_FAILED', error) : error
      })
      await beatWhenDue(asked, before !== undefined)
      const kept = before ?? first(job.id)
      if (kept.transfer === null && turnIsOver(kept)) throw await next(job, kept)
      const url = kept.transfer?.url ?? nodes[kept.attempt % nodes.length]
      if (url === undefined || !nodes.includes(url)) {
        await keepHandOff(store, job.id, giveUp(job.id, kept))
        throw waits()
      }
      try {
        return await goOn(asked, kept, await reach(url, asked, kept.transfer !== null))
      } catch (error) {
        if (!(error instanceof NodeError) || ![...silence, ...faults, lost].includes(error.code)) throw error
        // As it stands now: the transfer may have begun in this very visit.
        const standing = (await remembered(job.id)) ?? kept
        if (error.code === lost) {
          await keepHandOff(store, job.id, withoutTransfer(job.id, standing))
          throw waits(error)
        }
        options.onError(error)
        forget(url)
        const silent = silence.includes(error.code) && now() - standing.reachedAt <= options.patienceSeconds
        if (standing.transfer === null || !silent) await keepHandOff(store, job.id, giveUp(job.id, standing))
        throw waits(error)
      }
    },
    removeFiles: (job) => files.remove(job),
    end,
    async requireRunner(asked) {
      const found = await search(nodes, asked)
      if (found.url === undefined) throw waits(found.cause)
    },
  }

  /** Gives the present node up, which is told so; it is the next one's turn. */
  async function next(
    { id }: JobRow,
    kept: KeptHandOff,
    { cause, attempt }: { readonly cause?: unknown; readonly attempt?: number } = {},
  ): Promise<JobPutOff> {
    const given = giveUp(id, kept)
    await keepHandOff(store, id, { ...given, attempt: attempt ?? given.attempt })
    if (kept.transfer !== null) await endThere(id, [kept.transfer])
    return waits(cause)
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
    const found = await search(others.map(urlOf), asked)
    const attempt = others.find((one) => urlOf(one) === found.url)
    if (attempt !== undefined) throw await next(asked.job, kept, { attempt })
    const goesOn = { ...kept, turnAt: now() - options.turnSeconds + options.patienceSeconds }
    await keepHandOff(store, asked.job.id, goesOn)
    return goesOn
  }

  /** @param begun whether the hand-off was begun before, by a process that may have ended since */
  async function beatWhenDue({ job, beat }: HandOffVisit, begun: boolean): Promise<void> {
    const last = beats.get(job.id)
    if (last !== undefined && now() - last < options.heartbeatSeconds) return
    beats.set(job.id, now())
    // The first visit of all comes right after the start, which is a sign of life itself; the first after a restart does not.
    if (last !== undefined || begun) await beat().catch(options.onError)
  }

  async function goOn(asked: HandOffVisit, before: KeptHandOff, reached: Reached): Promise<ExecutedJob> {
    const { job } = asked
    const { line, peer } = reached
    let kept: KeptHandOff = { ...before, reachedAt: now() }
    if (kept.transfer !== null && kept.transfer.keySet !== peer.keySetDigest) {
      const over = turnIsOver(kept)
      kept = withoutTransfer(job.id, kept)
      if (over) throw await next(job, kept)
    }
    if (kept.transfer === null) {
      kept = await begin(asked, kept, reached)
      await keepHandOff(store, job.id, kept)
    }
    const { transfer } = kept
    if (transfer === null) throw waits()
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
              read: (file, offset, length) => files.read(job.id, file, offset, length),
              goOn: untilSeconds(options.sendSeconds),
            })
      if ('refused' in sent) throw await refusedCall(asked, kept, sent.refused)
      state = sent
    }
    await keepHandOff(store, job.id, kept)
    if (state.state === 'receiving') throw under('its files are sent', 0)
    if (state.state === 'running') throw under('it runs')
    if (state.state === 'refused') {
      options.onError(new Error(`${peer.url} refused job ${job.id}: ${state.code}`))
      throw await next(job, kept, { cause: new Error(state.code) })
    }
    const answer = await line.answer(transfer.id)
    if ('refused' in answer) throw await refusedCall(asked, kept, answer.refused)
    return take(asked, kept, reached, answer)
  }

  /** @returns what becomes of the job when its node refuses a call */
  async function refusedCall(asked: HandOffVisit, kept: KeptHandOff, code: string): Promise<JobPutOff> {
    const { job } = asked
    if (patience.includes(code)) {
      // With it, since when the node has its turn: asking for patience does not keep it.
      await keepHandOff(store, job.id, kept)
      if (kept.transfer !== null && turnIsOver(kept)) await passOn(asked, kept)
      return under('it asks for patience')
    }
    if (code !== 'HAND_OFF_UNKNOWN') return next(job, kept, { cause: new Error(code) })
    // It was started anew, or has given up waiting: another transfer, to the same node.
    await keepHandOff(store, job.id, withoutTransfer(job.id, kept))
    return waits(new Error(code))
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
    const jobKey = keyOf(job.id, kept)
    const parts = kept.parts ?? (await prepareParts(files, asked, jobKey))
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
    await files.write(job.id, 0, 0, sealed)
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
    { key, parts, transfer }: KeptHandOff,
    { peer }: Reached,
    given: { readonly sealed: Uint8Array; readonly work: unknown },
  ): Promise<ExecutedJob> {
    if (transfer === null || parts === null) throw waits()
    const { job, planned } = asked
    const { privateKey } = answerKeys(keyOf(job.id, { key }))
    const { answer, work } = await acceptAnswer({
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
      },
    }).finally(() => privateKey.fill(0))
    await keepWork(store, job.id, work.signed)
    const { isolation } = work.body
    return {
      answer,
      handOff: { node: transfer.node, keySet: transfer.keySet, isolation, work: work.signed },
    }
  }

  function scopeOf({ job, planned }: HandOffVisit) {
    const pool = firstPool(job)
    const policyDigest = planned.charges.find((one) => one.pool.address === pool)?.pool.policyDigest
    if (policyDigest === undefined) throw new RangeError('the first pool of a job is charged')
    return { chainId: chain.chainId, pool, policyDigest, epoch: 0 } as const
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof NodeError && error.code === 'STATE_UNREADABLE'
}

function firstPool({ pools }: Pick<JobRow, 'pools'>): Address {
  const [pool] = pools
  if (pool === undefined) throw new RangeError('a job has a pool')
  return pool
}
