/**
 * The node that runs jobs for others: takes transfers in, runs what the chain shows was approved, keeps answers until they are
 * fetched. Of a transfer only ciphertext lies on disk; its key is in memory alone, so that a restart ends every transfer.
 * @module
 */
import {
  type Address,
  type Digest,
  deriveKeyPair,
  digestOf,
  encodeBase64Url,
  encodeHex,
  type SignedStatement,
  sha256Digest,
} from '@sealpool/crypto'
import type { SqlEngine } from '@sealpool/query'
import { traced } from '../trace/tracer.js'
import { HandOffRefusal } from './hand-off-refusal.js'
import { signTransferKey } from './hand-off-statements.js'
import { heldShards } from './held-shards.js'
import { maximumLeashBytes, type TransferFile } from './leash.js'
import { checkHandedJob, type HandedJobContext, runHandedJob, type WholeTransfer } from './run-handed-job.js'
import { chunkBytes, chunkCount, chunkLength } from './transfer-files.js'

/** Why a call about a transfer is refused. */
export type TransferRefusal =
  | 'HAND_OFF_NOT_SERVED'
  | 'HAND_OFF_JOB'
  | 'HAND_OFF_FULL'
  | 'HAND_OFF_UNKNOWN'
  | 'HAND_OFF_TOO_LARGE'
  | 'HAND_OFF_DIFFERS'
  | 'HAND_OFF_CHUNK'
  | 'HAND_OFF_NOT_READY'

/**
 * How a transfer stands: files are awaited; the job runs; its answer can be fetched; or it is refused, by a code of
 * `handOffRefusalTexts`, or `RUN_FAILED` when this node failed before it could say anything about the job.
 */
export type TransferState =
  | {
      readonly state: 'receiving'
      /** Chunks that are not there yet, as file and index; the first of them. */
      readonly missing: readonly (readonly [number, number])[]
    }
  | { readonly state: 'running' | 'answered' }
  | { readonly state: 'refused'; readonly code: string }

/** A chunk of a file. */
export interface TransferChunk {
  readonly transfer: string
  readonly file: number
  readonly index: number
  readonly digest: Digest
  readonly bytes: Uint8Array
}

/** What other nodes may ask; `home` is who asks, by its statement key. */
export interface HandOffServer {
  open(
    home: Address,
    wish: { readonly job: string; readonly manifest: Digest },
  ): Promise<{ readonly transfer: string; readonly key: SignedStatement } | TransferRefusal>
  announce(home: Address, transfer: string, files: readonly TransferFile[]): TransferState | TransferRefusal
  chunk(home: Address, chunk: TransferChunk): Promise<TransferState | TransferRefusal>
  status(home: Address, transfer: string): TransferState | TransferRefusal
  answer(
    home: Address,
    transfer: string,
  ): { readonly sealed: Uint8Array; readonly work: SignedStatement } | TransferRefusal
  end(home: Address, transfer: string): Promise<{ readonly ended: true } | TransferRefusal>
  /** Ends what is over by the chain's time, or was left alone. */
  sweep(): Promise<void>
  /** Counts, without anything of a job. */
  figures(): Readonly<Record<string, number>>
  /** Ends everything. */
  close(): Promise<void>
}

/** What serving needs. */
export interface ServeHandOffOptions extends Omit<HandedJobContext, 'heldShards'> {
  /** Largest transfer in bytes, all files together. */
  readonly maximumBytes: number
  /** Most transfers at a time. */
  readonly maximumJobs: number
  /** Seconds after which a transfer that nobody asks about is ended. */
  readonly idleSeconds: number
  /** Seconds after which a transfer is ended whose files are not all there. */
  readonly receiveSeconds: number
  /** Unix seconds. */
  readonly now: () => number
  /** True when this node does no work now: nothing is taken, run or given; what is there is ended with the next sweep. */
  readonly stopped: () => boolean
  readonly onError: (error: unknown) => void
}

/** Seconds after which the chain is asked again whether a job still runs. */
const askChainSeconds = 60
/** Missing chunks that are told at once. */
const missingAtOnce = 64

interface Transfer extends Omit<WholeTransfer, 'files'> {
  files: readonly TransferFile[] | null
  /** Digest of every chunk that is there, by file and index. */
  received: (Digest | undefined)[][]
  awaited: number
  /** Everything before this chunk, as file and index, is there. */
  first: readonly [number, number]
  readonly openedAt: number
  touchedAt: number
  /** When the chain was last asked about its job. */
  askedAt: number
  expiresAt: number | null
  progress: Exclude<TransferState, { state: 'receiving' }> | null
  answer: { readonly sealed: Uint8Array; readonly work: SignedStatement } | null
  engine: SqlEngine | null
  ended: boolean
}

/**
 * Begins to serve.
 * @returns what other nodes may ask
 */
export async function serveHandOff(options: ServeHandOffOptions): Promise<HandOffServer> {
  const { chain, files: folder, now, random, stopped } = options
  const transfers = new Map<string, Transfer>()
  const shards = heldShards()
  let answered = 0
  let refused = 0
  // What a killed process has left behind opens with no key that there is.
  await folder.clear()

  const forget = async (transfer: Transfer): Promise<void> => {
    transfers.delete(transfer.id)
    transfer.ended = true
    transfer.privateKey.fill(0)
    transfer.answer = null
    await transfer.engine?.close().catch(options.onError)
    await folder.remove(transfer.id)
  }
  const find = (home: Address, id: string): Transfer | undefined => {
    const transfer = transfers.get(id)
    if (transfer?.home !== home) return undefined
    transfer.touchedAt = now()
    return transfer
  }
  const stateOf = (transfer: Transfer): TransferState => {
    if (transfer.progress !== null) return transfer.progress
    const missing: [number, number][] = []
    const [from, at] = transfer.first
    for (let file = from; file < transfer.received.length; file += 1) {
      const chunks = transfer.received[file] ?? []
      for (let index = file === from ? at : 0; index < chunks.length; index += 1) {
        if (chunks[index] !== undefined) continue
        // What lies before is not looked at again: a transfer has many chunks.
        if (missing.length === 0) transfer.first = [file, index]
        missing.push([file, index])
        if (missing.length === missingAtOnce) return { state: 'receiving', missing }
      }
    }
    return { state: 'receiving', missing }
  }

  const work = async (transfer: Transfer, files: readonly TransferFile[]): Promise<void> => {
    const context: HandedJobContext = {
      ...options,
      heldShards: shards,
      openEngine: (asked) => {
        const engine = options.openEngine(asked)
        transfer.engine = engine
        return engine
      },
    }
    const whole: WholeTransfer = { ...transfer, files }
    try {
      const about = { job: whole.job, manifest: whole.manifest }
      await traced(options.trace, 'job.handed', about, async () => {
        const checked = await checkHandedJob(context, whole)
        transfer.expiresAt = checked.leash.expiresAt
        if (transfer.ended) return
        const answer = await runHandedJob(context, whole, checked)
        const over = (await chain.head()).timestamp >= checked.leash.expiresAt
        if (transfer.ended) return
        if (over) throw new HandOffRefusal('LEASH_EXPIRED')
        transfer.answer = answer
        transfer.progress = { state: 'answered' }
        answered += 1
      })
    } catch (error) {
      if (!(error instanceof HandOffRefusal)) options.onError(error)
      transfer.progress = {
        state: 'refused',
        code: error instanceof HandOffRefusal ? error.code : 'RUN_FAILED',
      }
      refused += 1
    } finally {
      // Nothing of it is opened again.
      transfer.engine = null
      transfer.privateKey.fill(0)
      await folder.remove(transfer.id).catch(options.onError)
    }
  }

  return {
    async open(home, { job, manifest }) {
      await sweep()
      const [standing, terms] = await Promise.all([chain.jobState(job), chain.jobTerms(job)])
      if (stopped()) return 'HAND_OFF_NOT_SERVED'
      const [pool] = terms.pools
      const own = standing.state === 'Running' && standing.node === home && terms.manifestDigest === manifest
      if (!own || pool === undefined) return 'HAND_OFF_JOB'
      // A home node that begins anew has lost the first transfer, or given it up.
      for (const one of [...transfers.values()]) {
        if (one.home === home && one.job === job) await forget(one)
      }
      if (transfers.size >= options.maximumJobs) return 'HAND_OFF_FULL'
      const seed = random(32)
      const keys = deriveKeyPair(seed)
      seed.fill(0)
      const id = encodeHex(random(16)).slice(2)
      transfers.set(id, {
        id,
        home,
        job,
        manifest,
        pool,
        privateKey: keys.privateKey,
        files: null,
        received: [],
        awaited: 0,
        first: [0, 0],
        openedAt: now(),
        touchedAt: now(),
        askedAt: now(),
        expiresAt: null,
        progress: null,
        answer: null,
        engine: null,
        ended: false,
      })
      const key = signTransferKey(
        options.sign,
        { pool, job },
        {
          transfer: id,
          job,
          home,
          manifest,
          publicKey: encodeBase64Url(keys.publicKey),
          keySet: options.keys.keySetDigest,
        },
      )
      return { transfer: id, key }
    },
    announce(home, id, files) {
      if (stopped()) return 'HAND_OFF_NOT_SERVED'
      const transfer = find(home, id)
      if (transfer === undefined) return 'HAND_OFF_UNKNOWN'
      if (transfer.files !== null) {
        return digestOf(transfer.files) === digestOf(files) ? stateOf(transfer) : 'HAND_OFF_DIFFERS'
      }
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
      if (bytes > options.maximumBytes || (files[0]?.bytes ?? 0) > maximumLeashBytes)
        return 'HAND_OFF_TOO_LARGE'
      transfer.files = files
      transfer.received = files.map((file) => Array.from({ length: chunkCount(file) }, () => undefined))
      transfer.awaited = files.reduce((sum, file) => sum + chunkCount(file), 0)
      return stateOf(transfer)
    },
    async chunk(home, { transfer: id, file, index, digest, bytes }) {
      if (stopped()) return 'HAND_OFF_NOT_SERVED'
      const transfer = find(home, id)
      if (transfer === undefined) return 'HAND_OFF_UNKNOWN'
      const announced = transfer.files?.[file]
      if (announced === undefined || transfer.files === null || index >= chunkCount(announced)) {
        return 'HAND_OFF_CHUNK'
      }
      if (bytes.length !== chunkLength(announced, index) || sha256Digest(bytes) !== digest)
        return 'HAND_OFF_CHUNK'
      const chunks = transfer.received[file]
      const before = chunks?.[index]
      if (chunks === undefined || (before !== undefined && before !== digest)) return 'HAND_OFF_DIFFERS'
      if (before !== undefined) return stateOf(transfer)
      await folder.write(id, file, index * chunkBytes, bytes)
      // The same chunk twice at a time, or a transfer that was ended meanwhile.
      if (transfer.ended) {
        await folder.remove(id)
        return 'HAND_OFF_UNKNOWN'
      }
      const meanwhile = chunks[index]
      if (meanwhile !== undefined) return meanwhile === digest ? stateOf(transfer) : 'HAND_OFF_DIFFERS'
      chunks[index] = digest
      transfer.awaited -= 1
      if (transfer.awaited === 0) {
        transfer.progress = { state: 'running' }
        work(transfer, transfer.files).catch(options.onError)
      }
      return stateOf(transfer)
    },
    status(home, id) {
      if (stopped()) return 'HAND_OFF_NOT_SERVED'
      const transfer = find(home, id)
      return transfer === undefined ? 'HAND_OFF_UNKNOWN' : stateOf(transfer)
    },
    answer(home, id) {
      if (stopped()) return 'HAND_OFF_NOT_SERVED'
      const transfer = find(home, id)
      if (transfer === undefined) return 'HAND_OFF_UNKNOWN'
      return transfer.answer ?? 'HAND_OFF_NOT_READY'
    },
    async end(home, id) {
      const transfer = find(home, id)
      if (transfer === undefined) return 'HAND_OFF_UNKNOWN'
      await forget(transfer)
      return { ended: true }
    },
    sweep,
    figures: () => ({
      hand_offs_open: transfers.size,
      hand_offs_answered: answered,
      hand_offs_refused: refused,
    }),
    async close() {
      for (const transfer of [...transfers.values()]) await forget(transfer)
    },
  }

  async function sweep(): Promise<void> {
    if (stopped()) for (const transfer of [...transfers.values()]) await forget(transfer)
    if (transfers.size === 0) return
    const { timestamp } = await chain.head()
    for (const transfer of [...transfers.values()]) {
      const over = transfer.expiresAt !== null && timestamp >= transfer.expiresAt
      const idle = transfer.progress?.state !== 'running' && now() - transfer.touchedAt > options.idleSeconds
      const slow = transfer.progress === null && now() - transfer.openedAt > options.receiveSeconds
      if (over || idle || slow || (await isNobodys(transfer))) await forget(transfer)
    }
  }

  /** Whether the chain has ended its job, or given it to another node: whoever still asks for it gets nothing. */
  async function isNobodys(transfer: Transfer): Promise<boolean> {
    if (now() - transfer.askedAt < askChainSeconds) return false
    transfer.askedAt = now()
    try {
      const { state, node } = await chain.jobState(transfer.job)
      return state !== 'Running' || node !== transfer.home
    } catch (error) {
      // An endpoint that is away ends nothing, and holds up no other transfer.
      options.onError(error)
      return false
    }
  }
}
