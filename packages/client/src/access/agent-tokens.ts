/**
 * Tokens for agents: made and revoked by the wallet that they act for, in sealed calls and no others.
 *
 * @module
 */
import { ClientError } from '../errors.js'
import { limitedBytes } from '../limited-bytes.js'
import { readAs, refusalAnswerSchema } from '../node-api/messages.js'
import { type AnswerSchema, answerSchema, record, text, whole } from '../node-api/shape.js'
import type { Caveat } from './capability.js'
import type { AccessDoor, NodeAccess } from './node-access.js'

/** A token for an agent, as the node gives it. */
export type AgentToken = {
  /** Whoever holds it can use it: keep it as a key. */
  readonly token: string
  /** Its name, 32 hex digits: what the node's audit log calls it. */
  readonly id: string
  /** Unix seconds. */
  readonly expiresAt: number
}

/** Calls about tokens, once a client was made with `access`. */
export interface AgentTokens {
  /** What the client takes instead of the access that was wrapped. */
  readonly access: NodeAccess
  /**
   * A token for an agent: it may call what the node lets agents call, as far as every caveat allows.
   *
   * @param wish - `expiresAt`: unix seconds, at most 90 days ahead; `caveats`: at most 8
   * @returns the token
   * @throws ClientError `NODE_REFUSED` with the node's code, `NODE_UNREACHABLE`, `NODE_ANSWER_INVALID`, `NOT_READY`, `SIGN_IN_FAILED`,
   *   `OPTION_INVALID` before a client was made
   */
  create(wish: { readonly expiresAt: number; readonly caveats: readonly Caveat[] }): Promise<AgentToken>
  /**
   * Ends a token of the wallet that signs in, and every one that was narrowed from it, from its last name on.
   *
   * @param token the text of the token
   * @returns the name that was revoked
   * @throws ClientError as {@link AgentTokens.create}
   */
  revoke(token: string): Promise<string>
}

const name = /* @__PURE__ */ text(/^[0-9a-f]{32}$/, '32 hex digits')
const givenSchema: AnswerSchema<AgentToken> = /* @__PURE__ */ (() =>
  answerSchema(record<AgentToken>({ token: text(), id: name, expiresAt: whole(1) })))()
const revokedSchema: AnswerSchema<{ revoked: string }> = /* @__PURE__ */ (() =>
  answerSchema(record({ revoked: name })))()
const maximumAnswerBytes = 65_536
const timeoutMs = 30_000

/**
 * Wraps an access, so that tokens can be made through whichever client is made with it.
 *
 * @param access from `nodeAccess`, with the account of the wallet
 * @returns the calls, and the access to give to the client
 * @example
 * ```ts no-run
 * const tokens = agentTokens(nodeAccess({ account }))
 * const client = createPoolClient({ ...options, access: tokens.access })
 * const { token } = await tokens.create({ expiresAt: 1_900_000_000, caveats: [{ pools: [pool] }] })
 * ```
 */
export function agentTokens(access: NodeAccess): AgentTokens {
  let opened: { readonly door: AccessDoor; readonly fetch: typeof globalThis.fetch } | undefined

  async function call<T>(path: string, body: object, schema: AnswerSchema<T>): Promise<T> {
    if (opened === undefined)
      throw new ClientError('OPTION_INVALID', 'access', 'make a client with this access first')
    const place = `POST ${path}`
    const invalid = () => new ClientError('NODE_ANSWER_INVALID', place, 'the answer has another shape')
    let response: Response
    let answer: unknown
    try {
      response = await opened.fetch(`${opened.door.nodeUrl.replace(/\/+$/, '')}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      })
      answer = parsed(new TextDecoder().decode(await limitedBytes(response, maximumAnswerBytes, invalid)))
    } catch (cause) {
      if (cause instanceof ClientError) throw cause
      const message =
        'the node gave no complete answer in time; a token may have been made or ended all the same, look before you ask again'
      throw new ClientError('NODE_UNREACHABLE', place, message, { cause })
    }
    if (response.ok) {
      const read = readAs(schema, answer)
      if (read.ok) return read.answer
      throw invalid()
    }
    const refusal = readAs(refusalAnswerSchema, answer)
    if (!refusal.ok) throw invalid()
    const { code, message } = refusal.answer.error
    throw new ClientError('NODE_REFUSED', place, `${code}: ${message}`, { nodeCode: code })
  }

  return {
    access(door) {
      const fetch = access(door)
      opened = { door, fetch }
      return fetch
    },
    create: ({ expiresAt, caveats }) => call('/v1/tokens', { expiresAt, caveats }, givenSchema),
    revoke: async (token) => (await call('/v1/tokens/revoke', { token }, revokedSchema)).revoked,
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
