/**
 * What a node answers that does not work: what others need of it to go on, and nothing that its state would have to be right for.
 * @module
 */
import { sealedCallPath } from '@sealpool/client/access'
import type { MiddlewareHandler } from 'hono'
import type { Answers, ApiEnv } from './api-context.js'
import type { NodeService } from './node-service.js'

const always = [
  '/v1/health',
  '/v1/ready',
  '/v1/openapi.json',
  '/v1/metrics',
  '/v1/evidence',
  sealedCallPath,
] as const

/** What a node that has handed its keys over still answers. */
const afterMove: ReadonlySet<string> = new Set([...always, '/v1/migration'])
/** What a node still answers that waits for the word of those who remember its state: it may be the one that they wait for. */
const unconfirmed: ReadonlySet<string> = new Set([
  ...always,
  '/v1/heads/ask',
  '/v1/heads/keep',
  '/v1/heads/conflicts',
])

/** @returns refuses the calls that a node does not answer as it stands */
export function answeredCalls(
  node: Pick<NodeService, 'keysMoved' | 'unconfirmed'>,
  { refuse }: Pick<Answers, 'refuse'>,
): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const { path } = context.req
    if (node.keysMoved?.() === true && !afterMove.has(path)) return refuse(context, 'KEYS_MOVED')
    if (node.unconfirmed?.() === true && !unconfirmed.has(path)) return refuse(context, 'STATE_UNCONFIRMED')
    return next()
  }
}
