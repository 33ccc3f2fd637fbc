/**
 * The HTTP side of a committee's member: the paths of Trustee's key broker, beside the node's own API. It has its own forms, cookies
 * and limits, and nobody's role opens it: only a quote does.
 * @module
 */
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { PartAnswer, PartServer } from '../committee/part-server.js'
import { type ApiContext, type ApiEnv, jsonOf } from './api-context.js'
import { callerOf, type RateLimit, rateLimiter } from './rate-limit.js'

/** Where a broker's calls begin. */
export const keyBrokerPath = '/kbs/v0/'
const maximumBodyBytes = 256 * 1024
const cookieName = 'kbs-session-id'

/**
 * @param server the member's side of the protocol
 * @param options `limit`: calls of one address; `clock`: milliseconds; `onError`: told of failures inside
 * @returns an app that answers under {@link keyBrokerPath} alone
 */
export function keyBrokerApi(
  server: PartServer,
  options: {
    readonly limit: RateLimit
    readonly clock: () => number
    readonly onError: (error: unknown) => void
  },
): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  const call = rateLimiter(options.limit, options.clock)
  app.use(async (context, next) => {
    const wait = call(callerIn(context))
    if (wait > 0) {
      context.header('retry-after', String(wait))
      return context.json({ type: 'rate-limited' }, 429)
    }
    await next()
    context.header('cache-control', 'no-store')
    context.header('x-content-type-options', 'nosniff')
    return undefined
  })
  app.use(
    bodyLimit({
      maxSize: maximumBodyBytes,
      onError: (context) => context.json({ type: 'too-large' }, 413),
    }),
  )
  app.notFound((context) => context.json({ type: 'not-found' }, 404))
  app.onError((error, context) => {
    options.onError(error)
    return context.json({ type: 'internal' }, 500)
  })
  const give = (context: ApiContext, { status, body, cookie }: PartAnswer): Response => {
    if (cookie !== undefined) context.header('set-cookie', `${cookieName}=${cookie}; Path=/kbs/; HttpOnly`)
    return context.json(body, status)
  }
  app.post(`${keyBrokerPath}auth`, async (context) => give(context, server.auth(await jsonOf(context))))
  app.post(`${keyBrokerPath}attest`, async (context) =>
    give(context, server.attest(conversationOf(context), await jsonOf(context))),
  )
  app.get(`${keyBrokerPath}resource/:path{.{1,300}}`, async (context) =>
    give(context, await server.resource(conversationOf(context), context.req.param('path'))),
  )
  return app
}

function callerIn(context: ApiContext): string {
  return callerOf(context.env?.incoming?.socket?.remoteAddress)
}

function conversationOf(context: ApiContext): string | undefined {
  return /(?:^|;\s*)kbs-session-id=([0-9a-f]{74})(?:;|$)/.exec(context.req.header('cookie') ?? '')?.[1]
}
