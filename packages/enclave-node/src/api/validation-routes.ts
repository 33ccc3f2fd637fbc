/**
 * The calls about contributions that several nodes judge.
 * @module
 */
import type { Hono } from 'hono'
import type { DisputeRow } from '../state/verdict-agreement-table.js'
import { type Answers, type ApiContext, type ApiEnv, jsonOf } from './api-context.js'
import { idSchema, pageSchema } from './api-shapes.js'
import type { NodeService } from './node-service.js'
import { readValidationWish } from './validation-endpoints.js'

/** Adds the calls. */
export function validationRoutes(
  app: Hono<ApiEnv>,
  node: Pick<NodeService, 'contribution' | 'validation'>,
  { answer, refuse }: Answers,
): void {
  app.get('/v1/contributions/:id/verdicts', async (context) => {
    const id = idSchema.safeParse(context.req.param('id'))
    if (!id.success) return refuse(context, 'ID_INVALID')
    const row = await node.contribution(id.data)
    if (row === undefined) return refuse(context, 'CONTRIBUTION_UNKNOWN')
    const word = await node.validation?.wordOn(id.data)
    if (word === undefined) return refuse(context, 'VERDICTS_UNKNOWN')
    return answer(context, {
      id: row.id,
      pool: row.pool,
      agreement: word.agreement ?? null,
      rescored: word.rescored,
      disputes: word.disputes.map((dispute) => ({ ...shownOf(dispute), evidence: dispute.evidence })),
    })
  })
  app.get('/v1/disputes', async (context) => {
    const from = pageSchema.optional().safeParse(context.req.query('from'))
    if (!from.success) return refuse(context, 'ID_INVALID')
    const disputes = (await node.validation?.disputes(Number(from.data ?? 1))) ?? []
    return answer(context, {
      disputes: disputes.map((dispute) => ({ ...shownOf(dispute), poc: dispute.shown.poc })),
    })
  })
  app.post('/v1/validation/verdicts', async (context: ApiContext) => {
    const session = context.get('capability')
    // The matrix has peers alone here; a mistake in it must not become a node that is nobody.
    if (session === null) return refuse(context, 'SIGN_IN_REQUIRED')
    const server = node.validation?.server
    if (server === undefined) return refuse(context, 'VALIDATION_NOT_SERVED')
    const wish = readValidationWish(await jsonOf(context))
    if (wish === undefined) return refuse(context, 'VALIDATION_BODY')
    return answer(context, await server.judge(session.head.address, wish))
  })
}

function shownOf({ number, contribution, pool, shown }: DisputeRow) {
  const { kind, signers, digests, fields } = shown
  return { number, contribution, pool, kind, signers, digests, fields }
}
