/**
 * The calls through which others come in: sealed calls, sign-in, tokens.
 * @module
 */
import {
  type Capability,
  type SealedAnswer,
  sealedAnswerType,
  sealedCallPath,
  sealedCallType,
} from '@sealpool/client/access'
import { encodeBase64Url, type Hex } from '@sealpool/crypto'
import type { Hono } from 'hono'
import { type Answers, type ApiContext, type ApiEnv, jsonOf } from './api-context.js'
import type { ApiErrorCode } from './api-error.js'
import { revocationSchema, signInSchema, tokenRequestSchema } from './api-shapes.js'
import type { Authentication } from './authentication.js'

/** Adds the calls. Without authentication, sealed calls and sign-ins end in `NOT_FOUND`. */
export function authenticationRoutes(
  app: Hono<ApiEnv>,
  authentication: Authentication | undefined,
  answers: Answers,
): void {
  const { refuse, answer, answerOr } = answers
  const withAuthentication =
    (work: (authentication: Authentication, context: ApiContext) => Response | Promise<Response>) =>
    (context: ApiContext) =>
      authentication === undefined ? refuse(context, 'NOT_FOUND') : work(authentication, context)
  const withSession = (
    work: (
      authentication: Authentication,
      session: Capability,
      context: ApiContext,
    ) => Promise<object | ApiErrorCode>,
  ) =>
    withAuthentication(async (open, context) => {
      const session = context.get('capability')
      // The matrix has no anonymous here; a mistake in it must not become a session of nobody.
      if (session === null) return refuse(context, 'SIGN_IN_REQUIRED')
      return answerOr(context, await work(open, session, context))
    })

  app.post(
    sealedCallPath,
    withAuthentication(async (open, context) => {
      // A call in a call in a call would be counted once.
      if (context.env?.sealed !== undefined) return refuse(context, 'NOT_FOUND')
      if (context.req.header('content-type') !== sealedCallType) return refuse(context, 'MEDIA_TYPE_INVALID')
      const opened = await open.openSealed(new Uint8Array(await context.req.arrayBuffer()))
      if (typeof opened === 'string') return refuse(context, opened)
      const { method, path, token, body } = opened.call
      const inner = await app.fetch(
        new Request(`http://node${path}`, {
          method,
          // Whoever hangs up has hung up the call inside as well.
          signal: context.req.raw.signal,
          ...(method === 'GET'
            ? {}
            : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        }),
        { ...context.env, sealed: { token } },
      )
      const sealed = await opened.sealAnswer(await sealedAnswerOf(inner))
      return context.body(sealed as Uint8Array<ArrayBuffer>, 200, { 'content-type': sealedAnswerType })
    }),
  )
  app.get(
    '/v1/sign-in',
    withAuthentication((open, context) => answer(context, open.challenge())),
  )
  app.post(
    '/v1/sign-in',
    withAuthentication(async (open, context) => {
      const body = signInSchema.safeParse(await jsonOf(context))
      if (!body.success) return refuse(context, 'SIGN_IN_BODY')
      return answerOr(context, await open.signIn(body.data.message, body.data.signature as Hex))
    }),
  )
  app.post(
    '/v1/sign-out',
    withSession(async (open, session) => {
      await open.signOut(session)
      return { ended: true }
    }),
  )
  app.post(
    '/v1/tokens',
    withSession(async (open, session, context) => {
      const body = tokenRequestSchema.safeParse(await jsonOf(context))
      return body.success ? open.delegate(session, body.data) : 'TOKEN_REQUEST_INVALID'
    }),
  )
  app.post(
    '/v1/tokens/revoke',
    withSession(async (open, session, context) => {
      const body = revocationSchema.safeParse(await jsonOf(context))
      return body.success ? open.revoke(session, body.data.token) : 'REVOCATION_INVALID'
    }),
  )
}

async function sealedAnswerOf(response: Response): Promise<SealedAnswer> {
  const contentType = response.headers.get('content-type') ?? ''
  const isText = contentType.startsWith('application/json') || contentType.startsWith('text/')
  return {
    status: response.status,
    contentType,
    encoding: isText ? 'text' : 'base64url',
    body: isText ? await response.text() : encodeBase64Url(new Uint8Array(await response.arrayBuffer())),
  }
}
