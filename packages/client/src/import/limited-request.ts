/**
 * One GET of JSON as imports need it: a time limit, no redirect, a body that is read no further than wanted.
 * @module
 */
import { untilAborted } from '../contribute/progress.js'
import { ClientError } from '../errors.js'
import { limitedBytes } from '../limited-bytes.js'

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

/**
 * Asks once. What was asked with a signature is not asked again by itself: servers take each signature once.
 *
 * @param options - `url`, `headers`, `place` (named in errors), `maximumBytes` of the body
 * @returns the answer
 * @throws ClientError `IMPORT_UNREACHABLE` when there is no complete answer in time, `IMPORT_REFUSED` for a redirect, `IMPORT_INVALID` for a
 *   body that is too large, `OPTION_INVALID`; the signal's reason
 */
export async function limitedGet(
  options: RequestOptions & {
    readonly url: string
    readonly headers: Readonly<Record<string, string>>
    readonly place: string
    readonly maximumBytes: number
  },
): Promise<LimitedAnswer> {
  const { url, headers, place, maximumBytes, signal, timeoutMs = 30_000 } = options
  for (const [name, value] of Object.entries({ timeoutMs, maximumBytes }))
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new ClientError('OPTION_INVALID', name, 'expected a positive whole number')
  const timeout = AbortSignal.timeout(timeoutMs)
  const ends = signal === undefined ? timeout : AbortSignal.any([timeout, signal])
  try {
    return await untilAborted(ask(), ends)
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof ClientError) throw cause
    throw new ClientError(
      'IMPORT_UNREACHABLE',
      place,
      'there was no complete answer in time; try again later',
      {
        cause,
      },
    )
  }

  async function ask(): Promise<LimitedAnswer> {
    const response = await (options.fetch ?? globalThis.fetch)(url, {
      headers: { accept: 'application/json', ...headers },
      // Not followed: a redirect would carry the signed request to a host that nobody chose, or bring data from one.
      redirect: 'manual',
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal: ends,
    })
    const { status, type } = response
    if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
      await response.body?.cancel()
      throw new ClientError(
        'IMPORT_REFUSED',
        place,
        'the server sends elsewhere; give the address where it answers',
      )
    }
    const tooLarge = () =>
      new ClientError('IMPORT_INVALID', place, `the answer has more than ${maximumBytes} bytes`)
    const bytes = await limitedBytes(response, maximumBytes, tooLarge)
    const mediaType = response.headers.get('content-type') ?? ''
    return {
      status,
      bytes,
      isJson: /^application\/(?:[a-z0-9.-]+\+)?json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(mediaType),
    }
  }
}

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
