/**
 * The calls by which nodes run jobs for each other.
 * @module
 */
import { type Address, CryptoError, type Digest, decodeBase64Url, encodeBase64Url } from '@sealpool/crypto'
import type { Hono } from 'hono'
import type * as z from 'zod'
import type { HandOffServer } from '../hand-off/serve-hand-off.js'
import { type Answers, type ApiContext, type ApiEnv, jsonOf } from './api-context.js'
import type { ApiErrorCode } from './api-error.js'
import { announceSchema, chunkSchema, openTransferSchema, transferSchema } from './hand-off-endpoints.js'

/** Adds the calls. @param server undefined: each ends in `HAND_OFF_NOT_SERVED` */
export function handOffRoutes(app: Hono<ApiEnv>, server: HandOffServer | undefined, answers: Answers): void {
  const { refuse, answerOr } = answers
  const serve = <T>(
    name: string,
    schema: z.ZodType<T>,
    work: (
      server: HandOffServer,
      home: Address,
      body: T,
    ) => object | ApiErrorCode | Promise<object | ApiErrorCode>,
  ): void => {
    app.post(`/v1/hand-off/${name}`, async (context: ApiContext) => {
      const session = context.get('capability')
      // The matrix has peers alone here; a mistake in it must not become a home node that is nobody.
      if (session === null) return refuse(context, 'SIGN_IN_REQUIRED')
      if (server === undefined) return refuse(context, 'HAND_OFF_NOT_SERVED')
      const body = schema.safeParse(await jsonOf(context))
      if (!body.success) return refuse(context, 'HAND_OFF_BODY')
      return answerOr(context, await work(server, session.head.address, body.data))
    })
  }

  serve('open', openTransferSchema, (open, home, { job, manifest }) =>
    open.open(home, { job, manifest: manifest as Digest }),
  )
  serve('announce', announceSchema, (open, home, { transfer, files }) => open.announce(home, transfer, files))
  serve('chunk', chunkSchema, (open, home, { bytes: text, digest, ...chunk }) => {
    let bytes: Uint8Array
    try {
      bytes = decodeBase64Url(text)
    } catch (error) {
      if (error instanceof CryptoError) return 'HAND_OFF_BODY'
      throw error
    }
    return open.chunk(home, { ...chunk, digest: digest as Digest, bytes })
  })
  serve('status', transferSchema, (open, home, { transfer }) => open.status(home, transfer))
  serve('answer', transferSchema, (open, home, { transfer }) => {
    const answer = open.answer(home, transfer)
    return typeof answer === 'string' ? answer : { sealed: encodeBase64Url(answer.sealed), work: answer.work }
  })
  serve('end', transferSchema, (open, home, { transfer }) => open.end(home, transfer))
}
