/**
 * A proof of contribution that tries to get out: it makes the attempt that its contribution names. The attempts are put into the
 * bundle afterwards, because the bundler refuses some of them and an attacker would not use it.
 * @module
 */
import { type CheckResult, definePoc, refuse } from '@sealpool/poc/define'

/** Replaced in the bundle: an attempt, and the JSON that it may give, by its name. */
declare const SEALPOOL_ESCAPE_ATTEMPTS: ReadonlyMap<string, readonly [(input: string) => unknown, string?]>

interface Given {
  readonly attempt: string
  readonly canary: string
}

export default definePoc<Given>({
  id: 'chaos/hostile',
  version: '1.0.0',
  input: (raw) => {
    const { attempt, canary }: { readonly attempt?: unknown; readonly canary?: unknown } = Object(raw)
    if (typeof attempt !== 'string' || typeof canary !== 'string') return refuse('NO_ATTEMPT', '')
    return { attempt, canary }
  },
  checks: {
    escape: ({ attempt, canary }) => {
      const [go, expected] = SEALPOOL_ESCAPE_ATTEMPTS.get(attempt) ?? []
      const got = go?.(canary)
      // A promise gets out only through the answer: it is given as it is.
      if (got instanceof Promise) {
        const failed: CheckResult = { passed: false }
        Object.assign(failed, { place: got })
        return failed
      }
      const text = JSON.stringify(got)
      if (expected !== undefined && text === expected) return { passed: false, refusal: 'HARMLESS' }
      return { passed: false, refusal: 'ESCAPED' }
    },
  },
  score: { quality: 1 },
})
