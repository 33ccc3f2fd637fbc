/**
 * What the parts of the API share: what a call brings along, and how it is answered.
 * @module
 */
import type { Capability } from '@sealpool/client/access'
import { type JobManifest, parseJobManifest } from '@sealpool/compute'
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type ApiErrorCode, apiErrorTexts } from './api-error.js'
import { refusalStatus } from './api-routes.js'
import { planSchema } from './api-shapes.js'
import { callerOf } from './rate-limit.js'

/** What a call inside the process brings along, besides the request. */
export interface CallBindings {
  /** The connection, where there is one. */
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } }
  /** Set by the node itself for the call inside a sealed one: nothing that comes over the network can set it. */
  readonly sealed?: { readonly token: string | null }
}

/** Types of Hono for this API. */
export type ApiEnv = {
  Bindings: CallBindings
  Variables: {
    /** Who calls, believed; null: nobody in particular. */
    capability: Capability | null
  }
}
/** One call. */
export type ApiContext = Context<ApiEnv>

/** Answers, each of which says whether the node is simulated. */
export interface Answers {
  answer(context: ApiContext, body: object, status?: ContentfulStatusCode): Response
  refuse(context: ApiContext, code: ApiErrorCode): Response
  /** A refusal when it is a code. */
  answerOr(context: ApiContext, given: object | ApiErrorCode): Response
}

/** @param simulated whether the node is */
export function answersOf(simulated: boolean): Answers {
  const answer: Answers['answer'] = (context, body, status = 200) =>
    context.json({ simulated, ...body }, status)
  const refuse: Answers['refuse'] = (context, code) =>
    answer(context, { error: { code, message: apiErrorTexts[code] } }, refusalStatus[code])
  return {
    answer,
    refuse,
    answerOr: (context, given) =>
      typeof given === 'string' ? refuse(context, given) : answer(context, given),
  }
}

/** @returns who calls, as far as the address tells */
export function peerOf(context: ApiContext): string {
  return callerOf(context.env?.incoming?.socket?.remoteAddress)
}

/** @returns the body as JSON; undefined when it is none */
export async function jsonOf(context: ApiContext): Promise<unknown> {
  return context.req.json().catch(() => undefined)
}

/** @returns the job manifest in the body; undefined when there is none */
export async function manifestOf(context: ApiContext): Promise<JobManifest | undefined> {
  const body = planSchema.safeParse(await jsonOf(context))
  if (!body.success) return undefined
  try {
    return parseJobManifest(body.data.manifest)
  } catch {
    return undefined
  }
}
