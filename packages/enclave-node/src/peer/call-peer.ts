/**
 * Calls between nodes: sealed to the keys that were attested, their answers bound to the same keys.
 * @module
 */
import { ClientError } from '@sealpool/client'
import { nodeAccess } from '@sealpool/client/access'
import { encodeHex, type JsonValue } from '@sealpool/crypto'
import { privateKeyToAccount } from 'viem/accounts'
import { NodeError } from '../errors.js'
import type { AttestedPeer } from './attest-peer.js'

/** One call. */
export interface PeerCall {
  readonly method: 'GET' | 'POST'
  /** Path and query, from `/v1/` on. */
  readonly path: string
  /** JSON; null with GET. */
  readonly body: JsonValue
  /** A token of the peer; absent: as {@link PeerPorts.statementKey} signs in, or nobody in particular. */
  readonly token?: string
}

/** What the peer answered; refusals are answers too: `body.error.code`. */
export interface PeerAnswer {
  readonly status: number
  readonly body: JsonValue
}

/** With what peers are called. */
export interface PeerPorts {
  readonly chainId: number
  /** This node's statement key: with it, the node signs in as a peer when it is asked to. */
  readonly statementKey?: Uint8Array
  /** A CSPRNG. */
  readonly random: (length: number) => Uint8Array
  /** Unix seconds. */
  readonly now: () => number
  /** Milliseconds for one call, sign-in included. */
  readonly timeoutMs: number
  /** Another fetch, for tests. */
  readonly fetch?: typeof globalThis.fetch
}

/** Calls one peer, in one session. */
export type PeerLine = (call: Omit<PeerCall, 'token'>) => Promise<PeerAnswer>

/**
 * Opens a line to a peer: every call is sealed to its key set, the ones that anybody may make as well, and a session is kept over
 * calls. When the peer changes its keys, every call fails: attest it again.
 * @param peer from `attestPeer`
 * @returns the line; a call throws NodeError `NODE_UNREACHABLE` when there is no answer in time, `PEER_ANSWER_INVALID` when it is not
 * the peer's own answer to this call, or the peer could not open the call
 */
export function openPeer(peer: AttestedPeer, ports: PeerPorts, token?: string): PeerLine {
  const { statementKey, timeoutMs } = ports
  const access = nodeAccess({
    roles: ['peer'],
    sealOpenCalls: true,
    ...(token === undefined ? {} : { token }),
    ...(statementKey === undefined || token !== undefined
      ? {}
      : { account: privateKeyToAccount(encodeHex(statementKey)) }),
  })
  const sealed = access({
    nodeUrl: peer.url,
    chainId: ports.chainId,
    fetch: ports.fetch,
    keySet: async () => peer.keySet,
    random: ports.random,
    now: () => new Date(ports.now() * 1000),
  })
  return async ({ method, path, body }) => {
    if (!/^\/v1\/[\x21-\x7e]{1,2000}$/.test(path)) {
      throw new NodeError('PEER_ANSWER_INVALID', peer.url, 'the path of a call to a peer begins with /v1/')
    }
    try {
      const response = await sealed(`${peer.url}${path}`, {
        method,
        ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(timeoutMs),
      })
      return { status: response.status, body: (await response.json()) as JsonValue }
    } catch (cause) {
      throw failed(`${method} ${peer.url}${path.replace(/\?.*$/, '')}`, cause)
    }
  }
}

/**
 * Makes one call; see {@link openPeer}, which keeps a session over several.
 * @param peer from `attestPeer`
 * @returns the peer's answer, a refusal included
 * @throws NodeError `NODE_UNREACHABLE`, `PEER_ANSWER_INVALID`
 */
export function callPeer(peer: AttestedPeer, call: PeerCall, ports: PeerPorts): Promise<PeerAnswer> {
  return openPeer(peer, ports, call.token)(call)
}

function failed(place: string, cause: unknown): NodeError {
  if (cause instanceof ClientError) {
    // The code of a refusal that was not sealed is the word of whoever stands in the way.
    const why = cause.nodeCode ?? cause.code
    return new NodeError(
      'PEER_ANSWER_INVALID',
      place,
      `no answer that is bound to the peer’s keys (${why}); attest the peer again`,
      { cause },
    )
  }
  if (cause instanceof SyntaxError)
    return new NodeError('PEER_ANSWER_INVALID', place, 'the peer’s answer is not JSON', { cause })
  return new NodeError('NODE_UNREACHABLE', place, 'the peer gave no answer in time; try again', { cause })
}
