/**
 * The calls by which homes answer one job together.
 * @module
 */
import { type Digest, encodeBase64Url } from '@sealpool/crypto'
import type { Hono } from 'hono'
import type { ShareServer } from '../federation/serve-share.js'
import { type Answers, type ApiContext, type ApiEnv, jsonOf } from './api-context.js'
import { shareWishSchema } from './federation-endpoints.js'

/** Adds the calls. @param server undefined: they end in `FEDERATION_NOT_SERVED` */
export function federationRoutes(app: Hono<ApiEnv>, server: ShareServer | undefined, answers: Answers): void {
  const { answer, refuse } = answers
  app.post('/v1/federation/share', async (context: ApiContext) => {
    const session = context.get('capability')
    // The matrix has peers alone here; a mistake in it must not become a node that is nobody.
    if (session === null) return refuse(context, 'SIGN_IN_REQUIRED')
    if (server === undefined) return refuse(context, 'FEDERATION_NOT_SERVED')
    const wish = shareWishSchema.safeParse(await jsonOf(context))
    if (!wish.success) return refuse(context, 'FEDERATION_BODY')
    const { job, plan, step } = wish.data
    const given = await server.share(session.head.address, { job, plan: plan as Digest, step })
    return answer(
      context,
      given.state === 'given' ? { ...given, sealed: encodeBase64Url(given.sealed) } : given,
    )
  })
}
