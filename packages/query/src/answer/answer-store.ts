import type { QueryResult } from '../execute/execute-plan.js'

/** An answer that was charged for. */
export interface StoredAnswer {
  readonly result: QueryResult
  /** Name of the charge in the pools' ledgers. */
  readonly job: string
}

/**
 * Where answers are kept, by plan digest and data version. A port: `openStoredAnswers` is the adapter
 * that keeps them over restarts. `put` must be durable before it resolves.
 */
export interface AnswerStore {
  get(key: string): Promise<StoredAnswer | null>
  put(key: string, answer: StoredAnswer): Promise<void>
}

/**
 * Answers in memory: for tests and single runs.
 *
 * @returns an empty store; what is put into it is lost with the process
 */
export function createMemoryAnswers(): AnswerStore {
  const answers = new Map<string, StoredAnswer>()
  return {
    get: async (key) => answers.get(key) ?? null,
    put: async (key, answer) => {
      answers.set(key, answer)
    },
  }
}
