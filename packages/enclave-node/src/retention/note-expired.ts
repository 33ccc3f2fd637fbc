/**
 * Finds what is over and takes it out of use. What the state holds goes in the transaction that notes it; what lies outside is noted as
 * due first, and removed after that.
 * @module
 */
import { type Address, sha256Digest } from '@sealpool/crypto'
import type { ChainPort } from '../chain/chain-port.js'
import type { JobRetention } from '../config/retention-settings.js'
import type { PartStore } from '../ingest/ingest-context.js'
import type { ServedPool } from '../ingest/served-pool.js'
import { noteDeletion } from '../state/deletion-table.js'
import {
  forgetAnswer,
  forgetFacts,
  isAnyJobRunning,
  oldAnswers,
  oldContributions,
  oldFacts,
  unneededCopies,
} from '../state/expired-rows.js'
import type { StateStore } from '../state/state-store.js'
import { expireContributions } from '../state/withdrawal.js'
import { blockAt } from './block-at.js'
import { noteOrphans } from './orphaned-files.js'

/** Seconds of a day: retention is counted in whole ones, so that tables are rebuilt once a day at most. */
export const daySeconds = 86_400
/** Rows looked at in one transaction. */
const pageRows = 200

/** What is looked through. */
export interface NoteExpiredOptions {
  readonly store: StateStore
  readonly chain: Pick<ChainPort, 'blockHash' | 'blockTime'>
  readonly parts: Pick<PartStore, 'list'>
  readonly pools: ReadonlyMap<Address, ServedPool>
  readonly retention: JobRetention | null
  /** Number of the newest block. */
  readonly head: bigint
  /** Days since 1970. */
  readonly today: number
  /** The last block of more than so many days ago, as found earlier this day; what is found is put in. */
  readonly blocks: Map<number, bigint | null>
}

/**
 * Notes all that is over today.
 * @returns how many deletions were noted
 */
export async function noteExpired(options: NoteExpiredOptions): Promise<number> {
  const { store, chain, parts, pools, retention, head, today, blocks } = options
  const before = (days: number): number => (today - days) * daySeconds
  const blockBefore = async (days: number): Promise<bigint | null> => {
    const asked = blocks.get(days)
    if (asked !== undefined) return asked
    const found = await blockAt(chain, before(days) - 1, head)
    blocks.set(days, found)
    return found
  }
  let noted = 0
  for (const pool of pools.values()) {
    const { contributionDays = null, copyDays = null, factsDays = null } = pool.retention ?? {}
    if (contributionDays !== null) {
      // A job keeps what was set aside for it for a day; one that takes longer ends as after a withdrawal.
      const days = contributionDays + ((await isAnyJobRunning(store)) ? 1 : 0)
      noted += await noteContributions(store, pool.address, await blockBefore(days))
    }
    if (copyDays !== null) noted += await noteCopies(store, pool.address, await blockBefore(copyDays))
    if (factsDays !== null) noted += await noteFacts(store, pool.address, before(factsDays))
    noted += await noteOrphans(store, parts, pool)
  }
  if (retention !== null) {
    const { answerDays } = retention
    const at = new Date(before(answerDays) * 1000).toISOString()
    noted += await noteAnswers(store, { upTo: (await blockBefore(answerDays)) ?? -1n, before: at })
  }
  return noted
}

/** Does one page after the other until one is not full. */
async function paged(page: () => Promise<number>): Promise<number> {
  let noted = 0
  for (;;) {
    const more = await page()
    noted += more
    if (more < pageRows) return noted
  }
}

async function noteContributions(store: StateStore, pool: Address, upTo: bigint | null): Promise<number> {
  if (upTo === null) return 0
  return paged(() =>
    store.transaction(async (tx) => {
      const expired = await oldContributions(tx, pool, { upTo, limit: pageRows })
      await expireContributions(tx, expired)
      for (const { id } of expired) {
        const object = `contribution ${id}`
        const kept = ['fingerprint' as const]
        await noteDeletion(
          tx,
          { kind: 'contribution', pool, object, digest: null, reason: 'expired', kept },
          'done',
        )
      }
      return expired.length
    }),
  )
}

async function noteCopies(store: StateStore, pool: Address, upTo: bigint | null): Promise<number> {
  if (upTo === null) return 0
  let after = ''
  return paged(() =>
    store.transaction(async (tx) => {
      const copies = await unneededCopies(tx, pool, { upTo, after, limit: pageRows })
      for (const { digest, expired } of copies) {
        const reason = expired ? 'expired' : 'ended'
        await noteDeletion(tx, { kind: 'copy', pool, object: digest, digest, reason }, 'due')
      }
      after = copies.at(-1)?.digest ?? after
      return copies.length
    }),
  )
}

function noteFacts(store: StateStore, pool: Address, before: number): Promise<number> {
  return store.transaction(async (tx) => {
    const numbers = await oldFacts(tx, pool, before)
    for (const number of numbers) {
      await forgetFacts(tx, pool, number)
      const object = `facts ${number}`
      await noteDeletion(tx, { kind: 'facts', pool, object, digest: null, reason: 'expired' }, 'done')
    }
    return numbers.length
  })
}

function noteAnswers(
  store: StateStore,
  over: { readonly upTo: bigint; readonly before: string },
): Promise<number> {
  return paged(() =>
    store.transaction(async (tx) => {
      const answers = await oldAnswers(tx, { ...over, limit: pageRows })
      for (const { job, sealedResult, sealedDigest } of answers) {
        await forgetAnswer(tx, job)
        // Of a result with views the receipt's digest stands for all copies.
        const digest = sealedResult === null ? null : (sealedDigest ?? sha256Digest(sealedResult))
        await noteDeletion(
          tx,
          { kind: 'answer', pool: null, object: `job ${job}`, digest, reason: 'expired' },
          'done',
        )
      }
      return answers.length
    }),
  )
}
