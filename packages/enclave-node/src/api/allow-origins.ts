import type { MiddlewareHandler } from 'hono'
import type { ApiEnv } from './api-context.js'

/**
 * Lets the pages of the named origins call, and tells those of others nothing.
 * @param origins exactly as browsers name them
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const origin = context.req.header('origin')
    if (origin === undefined || !origins.includes(origin)) return next()
    if (context.req.method === 'OPTIONS') {
      context.res = context.body(null, 204, {
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'content-type',
        'access-control-max-age': '600',
      })
    } else await next()
    context.header('access-control-allow-origin', origin)
    context.header('access-control-expose-headers', 'date, retry-after')
    context.header('vary', 'origin')
    return undefined
  }
}
