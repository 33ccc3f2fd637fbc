/**
 * The guest agent of a dstack machine: HTTP over a Unix socket inside the VM. It gives TDX quotes, and keys that dstack's key
 * management releases to the application's measured identity.
 * @module
 */
import { request } from 'node:http'
import { parseQuote } from '@sealpool/attest'
import { decodeHex, encodeHex, type Hex } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError, type NodeErrorCode } from '../errors.js'
import type { RecordedGpus } from './dstack-gpus.js'
import type { QuoteProvider } from './quote-provider.js'

/** Calls of the agent that the node makes. */
export interface DstackAgent {
  /** @returns a TDX quote over 64 bytes. @throws NodeError `QUOTE_FAILED` */
  quote(reportData: Uint8Array): Promise<Uint8Array>
  /** @returns the guest's event log up to now, JSON text. @throws NodeError `QUOTE_FAILED` */
  eventLog(): Promise<string>
  /** Extends an event into the guest's runtime register, for as long as it runs. @throws NodeError `QUOTE_FAILED` */
  emit(name: string, payload: Uint8Array): Promise<void>
  /** @returns 32 secret bytes, the same for this application, path and purpose. @throws NodeError `KEY_UNREADABLE` */
  key(path: string, purpose: string): Promise<Uint8Array>
}

const hex = z.string().regex(/^(0x)?([0-9a-f]{2})+$/i)
const quoteSchema = z.object({ quote: hex.max(1 << 21) })
const eventLogSchema = z.object({ event_log: z.string().max(1 << 18) })
const keySchema = z.object({ key: hex.max(66) })
const maximumAnswerBytes = 8 << 20

/**
 * @param options `socketPath`: `/var/run/dstack.sock` on a machine; `timeoutMs`: for one whole answer
 * @returns the agent's calls
 */
export function dstackAgent(options: {
  readonly socketPath: string
  readonly timeoutMs: number
}): DstackAgent {
  return {
    async quote(reportData) {
      const body = { report_data: encodeHex(reportData).slice(2) }
      const answer = await call(options, 'GetQuote', body, quoteSchema, 'QUOTE_FAILED')
      const quote = bytesOf(answer.quote)
      let found: Uint8Array
      try {
        found = parseQuote(quote).report.reportData
      } catch (cause) {
        throw new NodeError('QUOTE_FAILED', 'dstack GetQuote', 'what the agent gave is not a quote', {
          cause,
        })
      }
      if (found.length === reportData.length && found.every((byte, index) => byte === reportData[index]))
        return quote
      throw new NodeError('QUOTE_FAILED', 'dstack GetQuote', 'the quote is over other data than was asked')
    },
    async eventLog() {
      const body = { report_data: '00'.repeat(64) }
      return (await call(options, 'GetQuote', body, eventLogSchema, 'QUOTE_FAILED')).event_log
    },
    async emit(event, payload) {
      const body = { event, payload: encodeHex(payload).slice(2) }
      await call(options, 'EmitEvent', body, z.unknown(), 'QUOTE_FAILED')
    },
    async key(path, purpose) {
      const answer = await call(options, 'GetKey', { path, purpose }, keySchema, 'KEY_UNREADABLE')
      const key = bytesOf(answer.key)
      if (key.length === 32 && key.some((byte) => byte !== 0)) return key
      throw new NodeError('KEY_UNREADABLE', 'dstack GetKey', 'the agent gave no key of 32 bytes')
    },
  }
}

/**
 * Quotes of a dstack machine.
 * @param collateral where a verifier's collateral for a quote comes from
 * @param gpus of the machine, recorded before the first quote; absent: it has none to show
 */
export function dstackQuoteProvider(
  agent: DstackAgent,
  collateral: QuoteProvider['collateral'],
  gpus?: RecordedGpus,
): QuoteProvider {
  return {
    name: 'dstack',
    simulated: false,
    async quote(reportData) {
      await gpus?.recorded()
      return agent.quote(reportData)
    },
    collateral,
    ...(gpus === undefined ? {} : { gpus }),
  }
}

function bytesOf(text: string): Uint8Array {
  return decodeHex((text.startsWith('0x') ? text : `0x${text}`).toLowerCase() as Hex)
}

async function call<T>(
  { socketPath, timeoutMs }: { readonly socketPath: string; readonly timeoutMs: number },
  method: string,
  body: unknown,
  schema: z.ZodType<T>,
  code: NodeErrorCode,
): Promise<T> {
  // No message quotes the answer: it may be a key.
  const failed = (why: string, cause?: unknown) =>
    new NodeError(code, `dstack ${method}`, `${why}; is the guest agent's socket mounted?`, { cause })
  const { status, text } = await post(socketPath, `/${method}`, JSON.stringify(body), timeoutMs).catch(
    (cause: unknown) => {
      throw failed('the agent does not answer', cause)
    },
  )
  if (status !== 200) throw failed(`the agent refused with status ${status}`)
  let json: unknown
  try {
    // What has nothing to say may say nothing.
    json = text === '' ? null : JSON.parse(text)
  } catch {
    throw failed('the answer is not JSON')
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw failed('the answer has another form than this release knows')
}

function post(
  socketPath: string,
  path: string,
  body: string,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath,
        path,
        method: 'POST',
        headers: {
          host: 'dstack',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        const parts: Buffer[] = []
        let length = 0
        response.on('data', (part: Buffer) => {
          length += part.length
          if (length > maximumAnswerBytes) asked.destroy(new Error('the answer is too large'))
          else parts.push(part)
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
        )
        response.on('error', reject)
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}
