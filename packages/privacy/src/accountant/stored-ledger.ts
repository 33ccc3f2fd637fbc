import * as z from 'zod'
import { PrivacyError } from '../errors.js'
import type { BudgetLedger, ChargeReceipt, LedgerHead } from './ledger.js'
import { assertAnchored, type LedgerAnchor } from './ledger-anchor.js'
import { ledgerBook } from './ledger-book.js'
import { verifyLedgerChain } from './ledger-chain.js'
import { budgetAfter, type ChargeRequest, type LedgerEntry } from './ledger-entry.js'
import { parsed, wholeLines } from './record-log.js'

/** Bytes that only grow: a port. `@sealpool/privacy/file-ledger` is the adapter on files. */
export interface LedgerStorage {
  /** Everything that is stored. */
  read(): Promise<Uint8Array>
  /** Adds bytes at the end. They must be durable (fsync) before the promise resolves. */
  append(bytes: Uint8Array): Promise<void>
  /** Cuts off what comes after `length` bytes, durably. Called on opening only, for a write that was torn. */
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

/** A ledger on a storage. */
export interface StoredLedger extends BudgetLedger {
  /** Newest point of each pool, to be anchored outside (`anchorDigest`). */
  anchors(): Promise<LedgerAnchor[]>
  /** Waits for what is being written and gives the storage back. */
  close(): Promise<void>
}

const HEADER = '{"format":"sealpool/budget-ledger","version":1}'

/** One line: what became durable together. Made in a call, so that bundles without stored ledgers leave zod out. */
const lineSchema = /* @__PURE__ */ makeLineSchema()

function makeLineSchema() {
  const text = z.string()
  const digits = z.string().regex(/^[0-9]{1,40}$/)
  const amount = z.number().min(0)
  const entrySchema = z.strictObject({
    pool: text,
    version: z.int().min(0),
    job: text.nullable(),
    leaves: z.array(text),
    charge: z
      .strictObject({
        epsilon: amount,
        delta: amount,
        zcdp: z.exactOptional(z.strictObject({ rho: amount, delta: amount })),
      })
      .nullable(),
    state: z.strictObject({
      accounting: z.enum(['basic', 'zcdp']),
      epsilon: amount,
      delta: amount,
      primaryTotal: digits,
      deltaTotal: digits,
      primarySpent: digits,
      deltaSpent: digits,
    }),
    previous: text,
    hash: text,
  })
  return z.array(entrySchema).min(1)
}

/**
 * A budget ledger on append-only storage: a header line, then one line of JSON for each transaction, its entries chained by
 * hash. Every promise resolves after its bytes are durable; charges that wait while a write is under way share the next one.
 *
 * What a crash leaves: a last line without its newline was never answered for, so it is cut off on opening. Anything else that
 * does not verify refuses the whole ledger. After a failed write the ledger refuses everything until it is opened again, since
 * nobody knows what reached the disk: an answer may be lost, a charge never.
 *
 * @param storage - Storage for this ledger alone; one process at a time may have it open.
 * @param options - `anchors`: points known from outside, which the ledger must contain.
 * @returns The ledger.
 * @throws PrivacyError `LEDGER_CHAIN_BROKEN` when what is stored does not verify or lacks an anchor.
 */
export async function openStoredLedger(
  storage: LedgerStorage,
  options: { readonly anchors?: readonly LedgerAnchor[] } = {},
): Promise<StoredLedger> {
  const book = ledgerBook(await load(storage, options.anchors ?? []))
  let failure: PrivacyError | undefined
  let closed = false
  let waiting: { readonly run: () => readonly LedgerEntry[]; readonly done: (error?: unknown) => void }[] = []
  let writing: Promise<void> | undefined

  const writeWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      const lines: string[] = []
      const settled = batch.map(({ run, done }): (() => void) => {
        try {
          if (failure !== undefined) throw failure
          const entries = run()
          book.commit(entries)
          if (entries.length > 0) lines.push(`${JSON.stringify(entries)}\n`)
          return () => done(failure)
        } catch (error) {
          return () => done(error)
        }
      })
      if (lines.length > 0) {
        try {
          await storage.append(new TextEncoder().encode(lines.join('')))
        } catch (cause) {
          failure = writeFailed(cause)
        }
      }
      for (const settle of settled) settle()
    }
    writing = undefined
  }
  /** Runs `work` in turn; its entries are durable, and everything before it too, when the promise resolves. */
  const inTurn = <Result>(
    work: () => { readonly entries: readonly LedgerEntry[]; readonly result: Result },
  ) =>
    new Promise<Result>((resolve, reject) => {
      let outcome: { readonly result: Result } | undefined
      waiting.push({
        run: () => {
          const worked = work()
          outcome = worked
          return worked.entries
        },
        done: (error) => {
          if (error === undefined && outcome !== undefined) resolve(outcome.result)
          else reject(error)
        },
      })
      writing ??= Promise.resolve().then(writeWaiting)
    })
  const head = (pool: string): LedgerHead => ({ pool, state: budgetAfter(book.newest(pool)) })
  const chargeAll = (requests: readonly ChargeRequest[]): Promise<ChargeReceipt[]> =>
    inTurn(() => {
      const { entries, receipts } = book.draft(requests)
      return { entries, result: receipts }
    })
  const reading = <Result>(read: () => Result) => inTurn(() => ({ entries: [], result: read() }))
  return {
    open: (pool, totals) =>
      inTurn(() => {
        const opening = book.opening(pool, totals)
        return opening === undefined
          ? { entries: [], result: head(pool) }
          : { entries: [opening], result: { pool, state: budgetAfter(opening) } }
      }),
    head: (pool) => reading(() => head(pool)),
    async charge(request) {
      const [only] = await chargeAll([request])
      return only as NonNullable<typeof only>
    },
    chargeAll,
    entries: (pool) => reading(() => [...book.entries(pool)]),
    anchors: () =>
      reading(() =>
        book.pools().map((pool) => {
          const { version, hash } = book.newest(pool)
          return { pool, version, head: hash }
        }),
      ),
    async close() {
      if (closed) return
      closed = true
      await writing
      failure ??= new PrivacyError('LEDGER_WRITE_FAILED', 'ledger', 'The ledger is closed. Open it again.')
      await storage.close()
    },
  }
}

/** All entries of a storage, verified; a torn last line is cut off first. */
async function load(storage: LedgerStorage, anchors: readonly LedgerAnchor[]): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = []
  for (const [index, line] of (await wholeLines(storage, HEADER, broken)).entries()) {
    entries.push(...parseLine(line, `line ${index + 2}`))
  }
  const chains = new Map<string, LedgerEntry[]>()
  for (const entry of entries) {
    const chain = chains.get(entry.pool)
    if (chain === undefined) chains.set(entry.pool, [entry])
    else chain.push(entry)
  }
  for (const chain of chains.values()) verifyLedgerChain(chain)
  for (const anchor of anchors) assertAnchored(chains.get(anchor.pool) ?? [], anchor)
  return entries
}

function parseLine(line: string, place: string): readonly LedgerEntry[] {
  const read = lineSchema.safeParse(parsed(line, place, broken))
  if (!read.success) throw broken(place, 'is not a list of ledger entries', read.error)
  return read.data
}

function broken(place: string, what: string, cause?: unknown): PrivacyError {
  return new PrivacyError(
    'LEDGER_CHAIN_BROKEN',
    place,
    `The stored budget ledger does not verify: ${place} ${what}. Do not release anything; restore a copy that holds the newest anchor.`,
    cause === undefined ? {} : { cause },
  )
}

function writeFailed(cause: unknown): PrivacyError {
  return new PrivacyError(
    'LEDGER_WRITE_FAILED',
    'storage',
    'A charge could not be written, so nothing may be released for it, and nobody knows whether it is stored. Mend the storage and open the ledger again.',
    { cause },
  )
}
