/**
 * The order by which a state that was restored from a backup may go on, although peers have seen a newer one. A restore asks the peers, holds
 * what they say against the budgets in the backup, and leaves this order for the next start, which it is good for alone.
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalBytes, type Digest, type JsonObject } from '@sealpool/crypto'
import { keyedFingerprint } from '@sealpool/privacy'
import * as z from 'zod'
import { type HeadBook, headBookSchema, readHeadBook, writeHeadBook } from '../anchor/head-book.js'
import { type PeersWord, requireBudgets } from '../anchor/require-not-behind-peer.js'
import type { NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import type { SealedStore, StateRoot } from '../state/sealed-store.js'
import type { Sql } from '../state/state-store.js'

/** File in the data folder. */
export const restoredHeadsFile = 'restored-heads'

const orderSchema = z.strictObject({
  /** Root of the state as it was restored: the order is for no other. */
  state: z.string().regex(/^sha256:[0-9a-f]{64}$/) as z.ZodType<Digest>,
  book: headBookSchema,
})
const fileSchema = z.strictObject({ order: orderSchema, code: z.string().regex(/^[0-9a-f]{64}$/) })

/** What a restore orders. */
export type RestoredHeads = z.output<typeof orderSchema>

/**
 * Decides whether a backup may go on, by what the peers have seen since.
 * @param sql the restored state
 * @param answers of all peers that the settings name; why there is none from the others
 * @returns the book that it goes on with, of another line: heads of the one before are over
 * @throws NodeError `PEERS_SILENT` when too few answered; `STATE_ROLLED_BACK` when a charge is missing that a peer has seen
 */
export async function bookAfterRestore(
  sql: Sql,
  answers: readonly PromiseSettledResult<PeersWord>[],
  required: number,
): Promise<HeadBook> {
  const words = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  if (words.length < required) {
    const causes: unknown[] = answers.flatMap((answer) =>
      answer.status === 'rejected' ? [answer.reason] : [],
    )
    throw new NodeError(
      'PEERS_SILENT',
      'anchors.peers',
      `${words.length} of ${required} nodes that must say first how far this one had come have answered; see to it that they are reached, and restore again`,
      { cause: causes[0] },
    )
  }
  for (const word of words) await requireBudgets(sql, word)
  const book = await readHeadBook(sql)
  const found = words.flatMap((word) => (word.found === null ? [] : [{ ...word, found: word.found }]))
  return {
    line: Math.max(book.line, ...found.map(({ found: { head } }) => head.line)) + 1,
    peers: {
      ...book.peers,
      ...Object.fromEntries(
        found.map(({ address, found: { mark } }) => [address, { kept: mark, sent: null }]),
      ),
    },
  }
}

/** Leaves an order for the next start. */
export async function orderRestoredHeads(
  { dataDirectory }: Pick<NodeConfig, 'dataDirectory'>,
  key: Uint8Array,
  order: RestoredHeads,
): Promise<void> {
  const text = JSON.stringify({ order, code: codeOf(key, order) })
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
  await writeFile(join(dataDirectory, restoredHeadsFile), text, { mode: 0o600 })
}

/**
 * Takes an order, once: the file goes with it.
 * @param start `opened`: how far the state had come when it was opened
 * @returns whether there was one for this very state
 */
export async function takeRestoredHeads(
  store: SealedStore,
  start: {
    readonly config: Pick<NodeConfig, 'dataDirectory' | 'chain'>
    readonly keys: Pick<NodeKeyRing, 'backupSecret'>
    readonly opened: StateRoot
  },
): Promise<boolean> {
  const path = join(start.config.dataDirectory, restoredHeadsFile)
  if (!existsSync(path)) return false
  const order = readOrder(
    await readFile(path, 'utf8'),
    start.keys.backupSecret(start.config.chain.deployment),
  )
  const isFor = order !== undefined && order.state === start.opened.state
  if (isFor) await store.transaction((tx) => writeHeadBook(tx, order.book))
  await rm(path)
  return isFor
}

/** @returns undefined for what this node has not written */
function readOrder(text: string, key: Uint8Array): RestoredHeads | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  const read = fileSchema.safeParse(json)
  if (!read.success) return undefined
  const { order, code } = read.data
  return codeOf(key, order) === code ? order : undefined
}

function codeOf(key: Uint8Array, order: RestoredHeads): string {
  const data = canonicalBytes(order satisfies JsonObject)
  return keyedFingerprint({ key, domain: 'restored-heads', data })
}
