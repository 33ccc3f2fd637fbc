import { errorFields } from './logger.js'
import type { startLoop } from './loop.js'

/**
 * Why a node is not ready, in words for its operator.
 * @param state `reasons`: of incidents and pools; `differing`: verdicts that came out otherwise; `unpublished`: keys are not on the chain yet
 * @returns nothing when it is ready
 */
export function notReady(state: {
  readonly registered: boolean
  readonly reasons: readonly string[]
  readonly differing: number
  readonly unpublished: boolean
  readonly loops: Readonly<Record<string, Pick<ReturnType<typeof startLoop>, 'lastError'>>>
}): string[] {
  const { registered, differing } = state
  const reasons = registered ? [] : ['the node is not registered on the chain']
  reasons.push(...state.reasons)
  if (differing > 0)
    reasons.push(`VERDICTS_DIFFER: ${differing} verdicts came out otherwise when they were judged again`)
  if (registered && state.unpublished) reasons.push('the pool keys are not on the chain yet')
  for (const [name, loop] of Object.entries(state.loops)) {
    const error = loop.lastError()
    if (error !== undefined)
      reasons.push(`${name}: the last round failed (${errorFields(error)['code'] ?? 'see the log'})`)
  }
  return reasons
}
