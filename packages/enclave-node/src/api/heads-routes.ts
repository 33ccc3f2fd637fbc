/**
 * The calls by which nodes remember how far each other's states have come. Nobody's role opens them: a signature of a node that the settings
 * name does.
 * @module
 */
import type { Digest } from '@sealpool/crypto'
import type { Hono } from 'hono'
import type { HeadKeeper } from '../anchor/head-keeper.js'
import { type Answers, type ApiContext, type ApiEnv, jsonOf } from './api-context.js'
import { headQuestionSchema, headWishSchema } from './heads-endpoints.js'

/** Adds the calls. @param keeper undefined: they end in `HEADS_NOT_KEPT` */
export function headsRoutes(
  app: Hono<ApiEnv>,
  keeper: HeadKeeper | undefined,
  { answer, refuse }: Answers,
): void {
  app.post('/v1/heads/ask', async (context: ApiContext) => {
    if (keeper === undefined) return refuse(context, 'HEADS_NOT_KEPT')
    const asked = headQuestionSchema.safeParse(await jsonOf(context))
    if (!asked.success) return refuse(context, 'HEADS_BODY')
    return answer(context, await keeper.ask(asked.data.question))
  })
  app.post('/v1/heads/keep', async (context: ApiContext) => {
    if (keeper === undefined) return refuse(context, 'HEADS_NOT_KEPT')
    const wish = headWishSchema.safeParse(await jsonOf(context))
    if (!wish.success) return refuse(context, 'HEADS_BODY')
    const { head, previous } = wish.data
    return answer(context, await keeper.keep(head, previous as Digest | null))
  })
  app.get('/v1/heads/conflicts', async (context: ApiContext) => {
    if (keeper === undefined) return refuse(context, 'HEADS_NOT_KEPT')
    return answer(context, { conflicts: await keeper.conflicts() })
  })
}
