import type { Readiness, VerifiedPool } from './verified-pool.js'

/** Milliseconds for which a verification is reused unless told otherwise: five minutes. */
export const defaultMaximumAgeMs = 5 * 60_000

/** The newest answer to "may I send?", never older than allowed. */
export interface FreshReadiness {
  /** Verifies now, whatever was known before. */
  verify(): Promise<Readiness>
  /**
   * The newest answer when it said yes, is young enough and the chain has not changed since; otherwise verifies. Calls at
   * the same time share one verification.
   */
  current(): Promise<Readiness>
}

/**
 * Keeps the newest verification. What began last counts, not what ended last: a slow answer from before a change cannot
 * replace a newer one.
 *
 * @param options.verify verifies everything for a moment
 * @param options.unchanged asks the chain whether it still says what was verified
 * @param options.now the clock
 * @param options.maximumAgeMs how long a verification is reused
 */
export function freshReadiness(options: {
  readonly verify: (at: Date) => Promise<Readiness>
  readonly unchanged: (pool: VerifiedPool) => Promise<boolean>
  readonly now: () => Date
  readonly maximumAgeMs: number
}): FreshReadiness {
  let begun = 0
  let known = { order: 0, at: 0, readiness: undefined as Readiness | undefined }
  let shared: Promise<Readiness> | undefined

  async function verify(): Promise<Readiness> {
    begun += 1
    const order = begun
    const at = options.now()
    const keep = (readiness: Readiness | undefined) => {
      if (order > known.order) known = { order, at: at.getTime(), readiness }
    }
    try {
      const readiness = await options.verify(at)
      keep(readiness)
      return readiness
    } catch (error) {
      keep(undefined)
      throw error
    }
  }

  async function freshen(): Promise<Readiness> {
    const { at, readiness } = known
    const time = options.now().getTime()
    const age = time - at
    // A clock that was set back makes no answer younger.
    const young = options.maximumAgeMs > 0 && age >= 0 && age <= options.maximumAgeMs
    const until = readiness?.pool?.validUntil ?? null
    const current = until === null || time < Date.parse(until)
    if (readiness?.pool === undefined || !young || !current) return verify()
    const same = await options.unchanged(readiness.pool)
    // While the chain answered, a newer verification may have said no.
    return same && known.readiness === readiness ? readiness : verify()
  }

  return {
    verify,
    current() {
      shared ??= freshen().finally(() => {
        shared = undefined
      })
      return shared
    },
  }
}
