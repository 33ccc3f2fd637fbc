import * as z from 'zod'
import { PrivacyError } from '../errors.js'
import type { BudgetTotals, Charge } from './filter.js'
import {
  admitLeaves,
  chargeLeaves,
  createLeafBudget,
  type LeafBudget,
  type LeafRange,
} from './leaf-budget.js'
import { openRecordLog } from './record-log.js'
import type { LedgerStorage } from './stored-ledger.js'

/** Budgets of single contributors that survive a restart. */
export interface StoredLeafBudget {
  /** What every leaf has spent, what is still being written included. */
  budget(): LeafBudget
  /**
   * Admits contributors; durable when the promise resolves. The same `batch` again admits nobody and says the same.
   *
   * @throws PrivacyError `PARAMETER_INVALID`, `LEDGER_CONFLICT` for a batch that was admitted with other numbers
   */
  admit(options: {
    readonly batch: string
    readonly table: string
    readonly contributors: number
  }): Promise<{ readonly first: number }>
  /**
   * Charges a release to its leaves; durable when the promise resolves, so nothing may be released before. The same `job` again
   * is charged once. A charge is never given back.
   *
   * @throws PrivacyError `BUDGET_EXHAUSTED`, `PARAMETER_INVALID`, `LEDGER_CONFLICT` for a job that was charged otherwise
   */
  charge(options: {
    readonly job: string
    readonly charge: Charge
    readonly tables: readonly string[]
    readonly exhausted?: 'refuse' | 'leave-out'
  }): Promise<{ readonly paid: readonly LeafRange[] }>
  /** Number of durable records and the newest hash, for an anchor outside. */
  head(): { readonly records: number; readonly hash: string }
  close(): Promise<void>
}

/** Made in a call, so that bundles without it leave zod out. */
const eventSchema = /* @__PURE__ */ (() => {
  const charge = z.strictObject({
    epsilon: z.number(),
    delta: z.number(),
    zcdp: z.exactOptional(z.strictObject({ rho: z.number(), delta: z.number() })),
  })
  return z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('open'),
      accounting: z.enum(['basic', 'zcdp']),
      epsilon: z.number(),
      delta: z.number(),
      mostRuns: z.number(),
    }),
    z.strictObject({
      kind: z.literal('admit'),
      batch: z.string(),
      table: z.string(),
      contributors: z.number(),
    }),
    z.strictObject({
      kind: z.literal('charge'),
      job: z.string(),
      charge,
      tables: z.array(z.string()),
      exhausted: z.enum(['refuse', 'leave-out']),
    }),
  ])
})()
type Event = z.output<typeof eventSchema>

/** What was said to the one who asked, so that asking again says the same. */
interface Known {
  readonly event: string
  readonly answer: { readonly first: number; readonly paid: readonly LeafRange[] }
  /** Settles when the disk has it. */
  readonly written: Promise<void>
}

/**
 * Opens the budgets of single contributors on append-only storage: a hash-chained log of admissions and charges, from which the
 * state is made again on opening. A charge is durable before its promise resolves; a crash loses answers, never charges.
 *
 * @param storage - Storage for these budgets alone, such as `fileStorage` of `@sealpool/privacy/file-ledger`.
 * @param options - `totals` of each leaf and `mostRuns`, which must be the same every time (see `createLeafBudget`); `anchor`: a
 *   head known from outside that must be there.
 * @returns The budgets.
 * @throws PrivacyError `LEDGER_CHAIN_BROKEN` when what is stored does not verify, `LEDGER_CONFLICT` for other totals.
 */
export async function openStoredLeafBudget(
  storage: LedgerStorage,
  options: {
    readonly totals: BudgetTotals
    readonly mostRuns?: number
    readonly anchor?: { readonly records: number; readonly hash: string }
  },
): Promise<StoredLeafBudget> {
  const { totals, mostRuns = 4096, anchor } = options
  let state = createLeafBudget(totals, { mostRuns })
  const log = await openRecordLog(storage, {
    format: 'sealpool/leaf-budget',
    ...(anchor === undefined ? {} : { anchor }),
  })
  const opening: Event = { kind: 'open', ...state.totals, mostRuns }
  const known = new Map<string, Known>()

  /** What an event says and does; the same every time, so that the log alone is the state. */
  const apply = (event: Event): Known['answer'] => {
    if (event.kind === 'open')
      throw new PrivacyError('LEDGER_CHAIN_BROKEN', 'log', 'The log is opened twice.')
    if (event.kind === 'admit') {
      const { budget, first } = admitLeaves(state, event)
      state = budget
      return { first, paid: [] }
    }
    const { budget, paid } = chargeLeaves(state, event)
    state = budget
    return { first: 0, paid }
  }
  const nameOf = (event: Event): string =>
    event.kind === 'admit' ? `admit ${event.batch}` : event.kind === 'charge' ? `charge ${event.job}` : 'open'

  const [first, ...rest] = log.records.map((record, index) => {
    const read = eventSchema.safeParse(record)
    if (read.success) return read.data
    throw new PrivacyError(
      'LEDGER_CHAIN_BROKEN',
      `record ${index + 1}`,
      'The stored leaf budget does not verify: a record is none of a leaf budget. Restore a copy.',
      { cause: read.error },
    )
  })
  if (first === undefined) await log.append(opening)
  else if (JSON.stringify(first) !== JSON.stringify(opening)) {
    throw new PrivacyError(
      'LEDGER_CONFLICT',
      'totals',
      'The budgets were opened with other totals or another mostRuns. Open them with the same.',
    )
  }
  for (const event of rest) {
    known.set(nameOf(event), {
      event: JSON.stringify(event),
      answer: apply(event),
      written: Promise.resolve(),
    })
  }

  const record = async (event: Event): Promise<Known['answer']> => {
    const name = nameOf(event)
    const text = JSON.stringify(event)
    const before = known.get(name)
    if (before !== undefined && before.event !== text) {
      throw new PrivacyError(
        'LEDGER_CONFLICT',
        name.split(' ')[0] ?? '',
        'This name was booked with other contents. Use a name once.',
      )
    }
    if (before === undefined) {
      const answer = apply(event)
      const written = log.append(event)
      known.set(name, { event: text, answer, written })
      await written
      return answer
    }
    // Who asks again while the first is being written waits for the disk as well.
    await before.written
    return before.answer
  }
  return {
    budget: () => state,
    head: () => log.head(),
    async admit(admission) {
      const { first: number } = await record({ kind: 'admit', ...admission })
      return { first: number }
    },
    async charge({ job, charge, tables, exhausted = 'refuse' }) {
      const names = [...new Set(tables)].sort()
      const { paid } = await record({ kind: 'charge', job, charge: { ...charge }, tables: names, exhausted })
      return { paid }
    },
    close: () => log.close(),
  }
}
