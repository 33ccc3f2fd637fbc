/**
 * The calls of a transfer, as the home node makes them over a sealed line to the running node.
 * @module
 */
import { CryptoError, type Digest, decodeBase64Url, encodeBase64Url, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { PeerLine } from '../peer/call-peer.js'
import type { TransferFile } from './leash.js'
import type { TransferChunk, TransferState } from './serve-hand-off.js'

const errorSchema = z.object({ error: z.object({ code: z.string().max(100) }) })
const stateSchema = z.object({
  state: z.enum(['receiving', 'running', 'answered', 'refused']),
  missing: z
    .array(z.tuple([z.int().min(0), z.int().min(0)]))
    .max(1_000)
    .optional(),
  code: z.string().max(100).optional(),
})
const openedSchema = z.object({ transfer: z.string().regex(/^[0-9a-f]{32}$/), key: z.json() })
const answerSchema = z.object({ sealed: z.string(), work: z.json() })

/** A call that the running node refused by a code of its API. */
export interface RefusedCall {
  readonly refused: string
}

/** Calls of one transfer. */
export interface TransferLine {
  open(wish: {
    readonly job: string
    readonly manifest: Digest
  }): Promise<{ readonly transfer: string; readonly key: unknown } | RefusedCall>
  announce(transfer: string, files: readonly TransferFile[]): Promise<TransferState | RefusedCall>
  chunk(chunk: TransferChunk): Promise<TransferState | RefusedCall>
  status(transfer: string): Promise<TransferState | RefusedCall>
  answer(transfer: string): Promise<{ readonly sealed: Uint8Array; readonly work: unknown } | RefusedCall>
  end(transfer: string): Promise<void>
}

/**
 * @param url of the running node, for errors
 * @param line sealed to its attested keys
 * @returns the calls; each throws NodeError `NODE_UNREACHABLE` or `PEER_ANSWER_INVALID` when nothing came through, `HAND_OFF_REFUSED` when the node itself
 * answered something else
 */
export function transferLine(url: string, line: PeerLine): TransferLine {
  const invalid = (call: string): NodeError =>
    new NodeError(
      'HAND_OFF_REFUSED',
      `${url} ${call}`,
      'the answer has another shape; is it another release?',
    )
  const call = async <T>(name: string, body: object, schema: z.ZodType<T>): Promise<T | RefusedCall> => {
    const answer = await line({ method: 'POST', path: `/v1/hand-off/${name}`, body: body as JsonValue })
    if (answer.status !== 200) {
      const refusal = errorSchema.safeParse(answer.body)
      if (!refusal.success) throw invalid(name)
      return { refused: refusal.data.error.code }
    }
    const read = schema.safeParse(answer.body)
    if (!read.success) throw invalid(name)
    return read.data
  }
  const state = async (name: string, body: object): Promise<TransferState | RefusedCall> => {
    const answer = await call(name, body, stateSchema)
    if ('refused' in answer) return answer
    if (answer.state === 'receiving') return { state: 'receiving', missing: answer.missing ?? [] }
    if (answer.state === 'refused') return { state: 'refused', code: answer.code ?? 'RUN_FAILED' }
    return { state: answer.state }
  }
  return {
    async open(wish) {
      const answer = await call('open', wish, openedSchema)
      return 'refused' in answer ? answer : { transfer: answer.transfer, key: answer.key }
    },
    announce: (transfer, files) => state('announce', { transfer, files }),
    chunk: ({ bytes, ...chunk }) => state('chunk', { ...chunk, bytes: encodeBase64Url(bytes) }),
    status: (transfer) => state('status', { transfer }),
    async answer(transfer) {
      const answer = await call('answer', { transfer }, answerSchema)
      if ('refused' in answer) return answer
      try {
        return { sealed: decodeBase64Url(answer.sealed), work: answer.work }
      } catch (cause) {
        if (cause instanceof CryptoError) throw invalid('answer')
        throw cause
      }
    },
    async end(transfer) {
      await call('end', { transfer }, z.unknown())
    },
  }
}
