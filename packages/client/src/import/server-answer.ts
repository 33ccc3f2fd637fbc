/**
 * What servers are asked by GET and answer, before anything is made of it.
 * @module
 */
import { ClientError } from '../errors.js'

/** How a server is asked. */
export interface RequestOptions {
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch
  /** Milliseconds for one answer, to its last byte; default 30,000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** An answer, whatever its status. */
export interface LimitedAnswer {
  readonly status: number
  readonly bytes: Uint8Array
  /** It says of itself that it is JSON. */
  readonly isJson: boolean
}

/**
 * Reads a server's base address. Data of a person travels from there, so it is https, or this very machine.
 *
 * @param text the address
 * @param place named in errors
 * @returns the address without a slash at its end
 * @throws ClientError `OPTION_INVALID`
 */
export function requireServerUrl(text: string, place: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)))
    throw new ClientError('OPTION_INVALID', place, 'expected an https address (http on this machine alone)')
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new ClientError('OPTION_INVALID', place, 'give the address without user, query and fragment')
  return url.href.replace(/\/+$/, '')
}

/** One question. */
export interface LimitedQuestion extends RequestOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Named in errors. */
  readonly place: string
  /** Largest body. */
  readonly maximumBytes: number
}

/** Asks a server once; `limitedGet` is the one that talks. */
export type LimitedGet = (question: LimitedQuestion) => Promise<LimitedAnswer>

/**
 * Reads a body as JSON.
 *
 * @param answer - what came
 * @param place named in errors
 * @returns what `JSON.parse` gives
 * @throws ClientError `IMPORT_INVALID`
 */
export function jsonOf({ isJson, bytes }: LimitedAnswer, place: string): unknown {
  if (!isJson)
    throw new ClientError('IMPORT_INVALID', place, 'the answer says of itself that it is not JSON in UTF-8')
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    // The cause would quote the person's data.
    throw new ClientError('IMPORT_INVALID', place, 'the answer is not JSON')
  }
}
