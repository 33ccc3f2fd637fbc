/**
 * How often one caller may call: a bucket of tokens that fills with time (token bucket). What is remembered of callers is
 * bounded, whoever calls.
 * @module
 */

/** How fast a bucket fills, and how much it holds. */
export interface RateLimit {
  /** Calls for each second, in the long run. */
  readonly perSecond: number
  /** Calls at once, after a pause. */
  readonly burst: number
}

/** Callers that are remembered; more than these share what the eldest leave. */
const rememberedCallers = 10_000

/**
 * Makes a limit.
 * @param limit for each caller
 * @param now milliseconds of a clock that does not go back; one that does only makes the caller wait
 * @returns takes a call's token: 0 when it may go on, else the whole seconds after which it may come again
 */
export function rateLimiter(limit: RateLimit, now: () => number): (caller: string) => number {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return (caller) => {
    const kept = buckets.get(caller)
    const at = Math.max(now(), kept?.at ?? Number.NEGATIVE_INFINITY)
    const tokens =
      kept === undefined
        ? limit.burst
        : Math.min(limit.burst, kept.tokens + ((at - kept.at) / 1000) * limit.perSecond)
    // Last in the map is who called last; the eldest go first.
    buckets.delete(caller)
    buckets.set(caller, { tokens: tokens >= 1 ? tokens - 1 : tokens, at })
    if (buckets.size > rememberedCallers) {
      for (const eldest of buckets.keys()) {
        buckets.delete(eldest)
        break
      }
    }
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / limit.perSecond)
  }
}

/**
 * Who calls, as far as the address tells: an IPv4 address, or the first 64 bits of an IPv6 address, all of which belong to
 * one subscriber.
 * @param address of the peer; undefined when there is none (a call inside the process)
 */
export function callerOf(address: string | undefined): string {
  if (address === undefined) return 'unknown'
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  if (!address.includes(':')) return address
  const [before = '', after] = address.toLowerCase().split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after === undefined || after === '' ? [] : after.split(':')
  const missing = after === undefined ? 0 : 8 - head.length - tail.length
  const groups = [...head, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...tail]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
