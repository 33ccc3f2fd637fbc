/**
 * The calls by which consumers present verifiable credentials.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { Address } from '@sealpool/crypto'
import type { Hono } from 'hono'
import type { CredentialDesk } from '../credential/credential-desk.js'
import { type Answers, type ApiEnv, jsonOf, peerOf } from './api-context.js'
import { callerTurns } from './caller-turns.js'
import { presentationSchema } from './credential-endpoints.js'

/** Presentations: of one, signatures of several keys are tried for each condition, in the only thread, before anybody is known to have any. */
const presentationTurns = { atOnce: 2, waiting: 20, waitingOfAll: 100 }

/** Adds the calls. */
export function credentialRoutes(app: Hono<ApiEnv>, desk: CredentialDesk, answers: Answers): void {
  const { answer, refuse } = answers
  const turn = callerTurns(presentationTurns, () => setImmediate())
  app.get('/v1/presentation', (context) => {
    const session = context.get('capability')
    // The matrix has consumers alone here; a mistake in it must not become a wallet that is nobody's.
    if (session === null) return refuse(context, 'SIGN_IN_REQUIRED')
    return answer(context, { nonce: desk.challenge(session.head.address) })
  })
  app.post('/v1/presentation', async (context) => {
    const session = context.get('capability')
    if (session === null) return refuse(context, 'SIGN_IN_REQUIRED')
    const body = presentationSchema.safeParse(await jsonOf(context))
    if (!body.success) return refuse(context, 'CREDENTIAL_BODY')
    const pool = body.data.pool.toLowerCase() as Address
    const present = () => desk.present(session.head.address, { ...body.data, pool })
    const conditions = (await turn(peerOf(context), present)) ?? 'BUSY'
    return typeof conditions === 'string'
      ? refuse(context, conditions)
      : answer(context, { pool, conditions })
  })
}
