/**
 * A fetch that speaks to a node from end to end: seals each call to the node's verified keys, signs in when the node asks for it,
 * and shows a token where there is one.
 *
 * @module
 */
import {
  CryptoError,
  decodeBase64Url,
  type JsonValue,
  type KeySet,
  keySetDigest,
  type Random,
} from '@sealpool/crypto'
import type { Account } from 'viem'
import { ClientError } from '../errors.js'
import { limitedBytes } from '../limited-bytes.js'
import { readAs, refusalAnswerSchema, signedInSchema, signInChallengeSchema } from '../node-api/messages.js'
import type { AccessRole } from './capability.js'
import {
  type SealedAnswer,
  type SealedCall,
  sealCall,
  sealedAnswerType,
  sealedCallPath,
  sealedCallType,
} from './sealed-call.js'
import { signInMessage } from './sign-in.js'

/** What a client gives to its access: the node as it is reached, and as it was verified. */
export interface AccessDoor {
  /** Base address of the node. */
  readonly nodeUrl: string
  readonly chainId: number
  /** How bytes travel; undefined: the platform's fetch. */
  readonly fetch: typeof globalThis.fetch | undefined
  /** The node's keys, once its evidence was verified; it throws when they cannot be trusted. */
  readonly keySet: () => Promise<KeySet>
  readonly random: Random
  readonly now: () => Date
}

/** Makes the fetch of one client: `createPoolClient` calls it. */
export type NodeAccess = (door: AccessDoor) => typeof globalThis.fetch

/** Who calls. */
export interface NodeAccessOptions {
  /** Signs in when the node asks for it; it must sign messages. Its owner is asked once for each session. */
  readonly account?: Account
  /** As whom it signs in; default contributor and consumer. */
  readonly roles?: readonly AccessRole[]
  /** A capability token, for an agent; it is never sent in the clear. */
  readonly token?: string
  /** Length of a session in seconds; the node may end it earlier. Default an hour. */
  readonly sessionSeconds?: number
  /**
   * Seals the calls as well that anybody may make, evidence and pools for example, so that their answers are bound to the node's
   * keys. Only for a door whose keys are verified without such a call. Default false.
   */
  readonly sealOpenCalls?: boolean
}

/** Calls that are made before a node is verified, or that anybody may make: nothing in them is anybody's own. */
const openPaths: readonly RegExp[] = [
  /^\/v1\/(health|ready|pools|openapi\.json)$/,
  /^\/v1\/evidence(\?|$)/,
  /^\/v1\/log\//,
]
/** Milliseconds for each request of a sign-in. */
const signInTimeoutMs = 30_000
const maximumAnswerBytes = 96 * 1024 * 1024
/** Seconds by which a clock may be wrong: a day. Whoever carries a call could otherwise have it dated years ahead, keep it, and deliver it then. */
const maximumSkew = 86_400

/**
 * Has every call to a node that is anybody's own travel sealed to the keys that the client has verified, behind whatever proxy.
 * Give it to `createPoolClient` or `createContributor` as `access`.
 *
 * @param options - see {@link NodeAccessOptions}; without account and token, calls are sealed and nobody's
 * @returns what the client takes
 * @throws ClientError from the calls: `SEALED_CALL_REFUSED`, `SIGN_IN_FAILED`, `ACCOUNT_REQUIRED` for an account that signs no
 *   messages
 * @example
 * ```ts no-run
 * const client = createPoolClient({ ...options, access: nodeAccess({ account }) })
 * ```
 */
export function nodeAccess(options: NodeAccessOptions = {}): NodeAccess {
  const {
    account,
    roles = ['contributor', 'consumer'],
    sessionSeconds = 3_600,
    sealOpenCalls = false,
  } = options
  return (door) => {
    let session: Promise<string> | undefined
    /** Seconds by which the node's clock is ahead of this one's. */
    let ahead = 0
    const fetcher = door.fetch ?? globalThis.fetch
    const base = door.nodeUrl.replace(/\/+$/, '')
    const seconds = () => Math.floor(door.now().getTime() / 1000)

    /** For requests that belong to no call: a session is for all of them, and its owner may take his time to sign. */
    const patience = (): RequestInit => ({ signal: AbortSignal.timeout(signInTimeoutMs) })

    async function send(
      call: Pick<SealedCall, 'method' | 'path' | 'token' | 'body'>,
      init: RequestInit,
      again = true,
    ): Promise<SealedAnswer> {
      const keySet = await door.keySet()
      const { sealed, openAnswer } = await sealCall({
        keySet,
        call: { ...call, at: seconds() + ahead },
        random: door.random,
      })
      const { signal = null } = init
      const response = await fetcher(`${base}${sealedCallPath}`, {
        method: 'POST',
        headers: { 'content-type': sealedCallType },
        body: sealed as Uint8Array<ArrayBuffer>,
        signal,
        redirect: 'error',
        cache: 'no-store',
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
      })
      const bytes = await limitedBytes(response, maximumAnswerBytes, () => invalid('it is too large'))
      if (response.headers.get('content-type') === sealedAnswerType) return openAnswer(bytes)
      const code = refusalCode(bytes)
      const date = Date.parse(response.headers.get('date') ?? '')
      const skew = Math.floor(date / 1000) - seconds()
      if (code === 'CALL_STALE' && again && Math.abs(skew) <= maximumSkew) {
        // A clock that goes wrong here; whoever lies about the node's gains no more than that the call is made again.
        ahead = skew
        return send(call, init, false)
      }
      // What did not come out of the sealed channel is the word of whoever stands in the way: its code, no more.
      throw code === undefined
        ? invalid('it is not sealed')
        : new ClientError('NODE_REFUSED', sealedCallPath, `${code}: the sealed call was not taken`, {
            nodeCode: code,
          })
    }

    async function signIn(): Promise<string> {
      if (account?.signMessage === undefined) {
        throw new ClientError(
          'ACCOUNT_REQUIRED',
          'access.account',
          'signing in needs an account that signs messages',
        )
      }
      const keySet = await door.keySet()
      const challenge = await send(
        { method: 'GET', path: '/v1/sign-in', token: null, body: null },
        patience(),
      )
      const { nonce } = answered(challenge, signInChallengeSchema)
      const issuedAt = new Date((seconds() + ahead) * 1000)
      const message = signInMessage({
        address: account.address,
        nodeUrl: door.nodeUrl,
        chainId: door.chainId,
        nonce,
        issuedAt,
        expiresAt: new Date(issuedAt.getTime() + sessionSeconds * 1000),
        keySet: keySetDigest(keySet),
        roles,
      })
      const body = { message, signature: await account.signMessage({ message }) }
      const answer = await send({ method: 'POST', path: '/v1/sign-in', token: null, body }, patience())
      return answered(answer, signedInSchema).token
    }

    return async (input, init = {}) => {
      const url = new URL(typeof input === 'object' && 'url' in input ? input.url : input)
      const path = `${url.pathname}${url.search}`
      const inner = path.slice(new URL(base).pathname.replace(/\/+$/, '').length)
      if (!sealOpenCalls && openPaths.some((one) => one.test(inner))) return fetcher(input, init)
      const call = {
        method: init.method === 'POST' ? 'POST' : 'GET',
        path: inner,
        body: typeof init.body === 'string' ? (JSON.parse(init.body) as JsonValue) : null,
      } as const
      try {
        const held = session
        const token = options.token ?? (await held?.catch(() => undefined)) ?? null
        let answer = await send({ ...call, token }, init)
        const code = refusalCode(new TextEncoder().encode(answer.body))
        const over = code === 'SIGN_IN_REQUIRED' || code === 'TOKEN_EXPIRED' || code === 'TOKEN_INVALID'
        if (over && options.token === undefined && account !== undefined) {
          // Calls at the same time share one sign-in: the owner is asked once.
          if (session === held || session === undefined) session = signIn()
          const opened = session
          opened.catch(() => {
            if (session === opened) session = undefined
          })
          answer = await send({ ...call, token: await opened }, init)
        }
        const { status, contentType, encoding, body } = answer
        const bytes = encoding === 'text' ? body : (decodeBase64Url(body) as Uint8Array<ArrayBuffer>)
        return new Response(bytes, { status, headers: { 'content-type': contentType } })
      } catch (cause) {
        if (cause instanceof CryptoError) throw invalid('its keys cannot be used')
        throw cause
      }
    }
  }
}

function answered<T>(answer: SealedAnswer, schema: Parameters<typeof readAs<T>>[0]): T {
  const value = jsonOf(answer.body)
  if (answer.status !== 200) {
    const refusal = readAs(refusalAnswerSchema, value)
    const code = refusal.ok ? refusal.answer.error.code : `HTTP ${answer.status}`
    throw new ClientError('SIGN_IN_FAILED', '/v1/sign-in', `the node refused: ${code}`, { nodeCode: code })
  }
  const read = readAs(schema, value)
  if (read.ok) return read.answer
  throw invalid(`it has another shape at ${read.place}`)
}

function refusalCode(bytes: Uint8Array): string | undefined {
  // A refusal is short; a large answer is none and is not read twice.
  if (bytes.length > 4_096) return undefined
  const refusal = readAs(refusalAnswerSchema, jsonOf(new TextDecoder().decode(bytes)))
  return refusal.ok ? refusal.answer.error.code : undefined
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function invalid(why: string): ClientError {
  return new ClientError('NODE_ANSWER_INVALID', sealedCallPath, `the answer to a sealed call: ${why}`)
}
