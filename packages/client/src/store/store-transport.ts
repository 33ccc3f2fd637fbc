/**
 * HTTP as blob stores use it: one request that may be tried again, with a time limit, without redirects, and with a body
 * that is read no further than wanted.
 * @module
 */
import { BlobStoreError } from './blob-store-error.js'
import { discard, refused, type Transport, type TransportOptions } from './transport.js'

const longestDelayMs = 5_000

/**
 * Makes the transport of one adapter.
 * @param options patience
 * @param isBusy whether a status may pass when tried again
 * @returns the transport; it throws BlobStoreError `BLOB_STORE_FAILED`, what `read` throws as BlobStoreError, or the
 * caller's own reason for cancelling
 * @throws BlobStoreError `BLOB_STORE_FAILED` for options that cannot be right
 */
export function storeTransport(options: TransportOptions, isBusy: (status: number) => boolean): Transport {
  const timeoutMs = positive(options.timeoutMs ?? 30_000, 'timeoutMs')
  const attempts = positive(options.attempts ?? 3, 'attempts')
  const firstDelayMs = positive(options.retryDelayMs ?? 200, 'retryDelayMs')

  return async (request, read) => {
    const { place, signal } = request
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted()
      let problem: BlobStoreError
      try {
        const { url, ...init } = request.init()
        const timeout = AbortSignal.timeout(timeoutMs)
        const response = await (options.fetch ?? globalThis.fetch)(url, {
          ...init,
          // Not followed: a redirect would carry the blob, or a signed request, to a host that nobody chose.
          redirect: 'manual',
          cache: 'no-store',
          credentials: 'omit',
          referrerPolicy: 'no-referrer',
          signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
        })
        if (!isBusy(response.status)) {
          if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
            await discard(response)
            throw refused(place, response.status)
          }
          return await read(response)
        }
        await discard(response)
        problem = refused(place, response.status)
      } catch (cause) {
        if (signal?.aborted === true) throw signal.reason
        if (cause instanceof BlobStoreError) throw cause
        const message = 'no complete answer in time; try again later'
        problem = new BlobStoreError('BLOB_STORE_FAILED', place, message, { cause })
      }
      if (attempt >= attempts) throw problem
      await wait(Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1)), signal)
    }
  }
}

function positive(value: number, place: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new BlobStoreError('BLOB_STORE_FAILED', place, 'expected a positive whole number')
}

function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
