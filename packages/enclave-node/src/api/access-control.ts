/**
 * What stands before every answer: whether the caller may have it.
 * @module
 */
import type { Address } from '@sealpool/crypto'
import type { MiddlewareHandler } from 'hono'
import { type CallSubject, decideAccess } from '../access/decide-access.js'
import { roleMatrix, type Subject } from '../access/role-matrix.js'
import { type Answers, type ApiContext, type ApiEnv, manifestOf } from './api-context.js'
import { addressSchema, idSchema } from './api-shapes.js'
import type { Authentication } from './authentication.js'
import { endpointOf } from './endpoint-of.js'
import type { NodeService } from './node-service.js'
import { resultOwner } from './result-answer.js'

/** Headers in which credentials come elsewhere. */
const credentialHeaders = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key']

/**
 * Lets a call through that the matrix allows, and no other.
 * @param options `authentication`: undefined when nobody can sign in; the API is then as open as the matrix lets it be
 */
export function accessControl(options: {
  readonly node: Pick<NodeService, 'contribution' | 'job'>
  readonly authentication: Authentication | undefined
  readonly answers: Answers
  readonly matrix?: typeof roleMatrix
}): MiddlewareHandler<ApiEnv> {
  const { node, authentication, answers, matrix = roleMatrix } = options
  return async (context, next) => {
    context.set('capability', null)
    const route = endpointOf(context.req.method, context.req.path)
    if (route === undefined) return next()
    const { endpoint, parameters } = route
    const row = Object.hasOwn(matrix, endpoint) ? matrix[endpoint] : undefined
    const sealed = context.env?.sealed
    if (sealed === undefined) {
      // Whoever reads along has it now: it must not go on being worth something unnoticed.
      if (credentialHeaders.some((name) => context.req.header(name) !== undefined))
        return answers.refuse(context, 'CREDENTIAL_EXPOSED')
      if (row?.sealed === true) return answers.refuse(context, 'SEALED_CALL_REQUIRED')
    }
    const token = sealed?.token ?? null
    const capability =
      token === null || authentication === undefined ? null : await authentication.admit(token)
    if (typeof capability === 'string') return answers.refuse(context, capability)
    const refusal = decideAccess({
      endpoint,
      row,
      open: authentication?.open ?? true,
      capability,
      subject: capability === null ? {} : await subjectOf(context, row?.about ?? 'nothing', parameters),
    })
    if (refusal === null) {
      context.set('capability', capability)
      await next()
    } else context.res = answers.refuse(context, refusal)
    if (capability !== null) authentication?.noteCall(capability, endpoint, context.res.status)
    return undefined
  }

  /** What a call is about; empty when it cannot be told, and then nothing is anybody's own. */
  async function subjectOf(
    context: ApiContext,
    about: Subject,
    parameters: Readonly<Record<string, string>>,
  ): Promise<CallSubject> {
    const id = idSchema.safeParse(parameters['id']).data
    if (about === 'contribution' && id !== undefined) {
      const row = await node.contribution(id)
      return row === undefined ? {} : { owner: row.owner, pools: [row.pool] }
    }
    if ((about === 'job' || about === 'result') && id !== undefined) {
      const row = await node.job(id)
      if (row === undefined) return { job: id }
      const asked = addressSchema.safeParse(context.req.query('recipient')).data?.toLowerCase()
      const owner = about === 'result' ? resultOwner(row, asked as Address | undefined) : row.consumer
      return { owner, pools: row.pools, job: id }
    }
    if (about === 'pool') {
      const pool = addressSchema.safeParse(context.req.query('pool')).data
      return pool === undefined ? {} : { pools: [pool.toLowerCase() as Address] }
    }
    if (about === 'manifest') {
      const manifest = await manifestOf(context)
      const pools = manifest?.pools.map(({ address }) => address.toLowerCase() as Address)
      return pools === undefined ? {} : { pools }
    }
    return {}
  }
}
