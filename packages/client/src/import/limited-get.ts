/**
 * One GET of JSON as imports need it: a time limit, no redirect, a body that is read no further than wanted.
 * @module
 */

import { ClientError } from '../errors.js'
import { limitedBytes } from '../limited-bytes.js'
import { untilAborted } from '../until-aborted.js'
import type { LimitedAnswer, LimitedQuestion } from './server-answer.js'

/**
 * Asks once. What was asked with a signature is not asked again by itself: servers take each signature once.
 *
 * @param options - what is asked
 * @returns the answer
 * @throws ClientError `IMPORT_UNREACHABLE` when there is no complete answer in time, `IMPORT_REFUSED` for a redirect, `IMPORT_INVALID` for a
 *   body that is too large, `OPTION_INVALID`; the signal's reason
 */
export async function limitedGet(options: LimitedQuestion): Promise<LimitedAnswer> {
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
