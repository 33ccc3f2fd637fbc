import { type LedgerStorage, openRecordLog, PrivacyError } from '@sealpool/privacy'
import * as z from 'zod'
import { QueryError } from '../errors.js'
import type { AnswerStore, StoredAnswer } from './answer-store.js'

/** Answers that survive a restart. */
export interface StoredAnswers extends AnswerStore {
  /** Waits for what is being written and gives the storage back. */
  close(): Promise<void>
}

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()])
const interval = z.strictObject({ low: z.number(), high: z.number(), confidence: z.number() })
const charge = z.strictObject({ epsilon: z.number(), delta: z.number() })
const kinds = ['key', 'count', 'sum', 'average', 'variance', 'pair', 'quantile', 'computed'] as const
const recordShape = z.strictObject({
  key: z.string(),
  answer: z.strictObject({
    job: z.string(),
    result: z.strictObject({
      columns: z.array(z.strictObject({ name: z.string(), kind: z.enum(kinds) })),
      rows: z.array(z.array(cell)),
      intervals: z.array(z.array(interval.nullable())),
      suppressedGroups: z.literal('unknown'),
      charge: z.record(z.string(), charge),
      notes: z.array(z.string()),
    }),
  }),
})

/**
 * Opens a store of answers on append-only storage (`fileStorage` of `@sealpool/privacy/file-ledger` is one on a file): a line for
 * each answer, chained by hash. `put` resolves when the disk has it, so an answer that was given is given again after a crash; a
 * crash before that loses the answer and keeps the charge. The first answer under a key stays: a second one would be a second
 * look at the data. Whoever reads the storage reads the answers.
 *
 * @param storage storage for these answers alone; one process at a time may have it open
 * @returns the store; it holds all answers in memory
 * @throws QueryError `ANSWERS_DAMAGED` when what is stored does not verify; from its methods `ANSWERS_UNAVAILABLE` after a
 *   write that failed, and for a second answer to an answered key
 * @example
 * ```ts no-run
 * import { fileStorage } from '@sealpool/privacy/file-ledger'
 * const answers = await openStoredAnswers(await fileStorage('/sealed/answers.jsonl'))
 * ```
 */
export async function openStoredAnswers(storage: LedgerStorage): Promise<StoredAnswers> {
  const log = await openRecordLog(storage, { format: 'sealpool/answers' }).catch((cause: unknown) => {
    if (cause instanceof PrivacyError) throw new QueryError('ANSWERS_DAMAGED', cause.place, { cause })
    throw cause
  })
  const answers = new Map<string, StoredAnswer>()
  for (const [index, record] of log.records.entries()) {
    const read = recordShape.safeParse(record)
    const place = `record ${index + 1}`
    if (!read.success) throw new QueryError('ANSWERS_DAMAGED', place, { cause: read.error })
    if (answers.has(read.data.key)) throw new QueryError('ANSWERS_DAMAGED', place)
    answers.set(read.data.key, read.data.answer)
  }
  const taken = new Set(answers.keys())
  return {
    get: async (key) => answers.get(key) ?? null,
    async put(key, answer) {
      if (taken.has(key)) throw new QueryError('ANSWERS_UNAVAILABLE', 'key')
      taken.add(key)
      try {
        await log.append({ key, answer })
      } catch (cause) {
        throw new QueryError('ANSWERS_UNAVAILABLE', 'storage', { cause })
      }
      answers.set(key, answer)
    },
    close: () => log.close(),
  }
}
