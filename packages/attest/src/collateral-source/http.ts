import { unavailable } from './port.js'

/** How to reach a server. */
export interface HttpOptions {
  /** The platform's own when absent. */
  readonly fetch?: typeof fetch
  /** Milliseconds until a request is given up; 10,000 when absent. */
  readonly timeout?: number
}

/** What is kept of an answer. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

/** Longest answer that is read: TCB info and lists have tens of kilobytes. */
const maximumAnswer = 1 << 21

/**
 * One GET within the time limit.
 *
 * @throws AttestError `COLLATERAL_UNAVAILABLE` when nothing answers in time or the answer is too long; its message names the
 *   host and never a query
 */
export async function get(url: URL, options: HttpOptions): Promise<HttpAnswer> {
  const { fetch: ask = globalThis.fetch, timeout = 10_000 } = options
  try {
    const response = await ask(url, { signal: AbortSignal.timeout(timeout), redirect: 'error' })
    const reader = response.body?.getReader()
    const chunks: Uint8Array[] = []
    let length = 0
    for (;;) {
      const part = await reader?.read()
      if (part === undefined || part.done) break
      length += part.value.length
      if (length > maximumAnswer) {
        await reader?.cancel()
        throw unavailable(url.host, 'the answer is too long')
      }
      chunks.push(part.value)
    }
    const body = new Uint8Array(length)
    let at = 0
    for (const chunk of chunks) {
      body.set(chunk, at)
      at += chunk.length
    }
    return { status: response.status, headers: response.headers, body }
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'AttestError') throw cause
    throw unavailable(url.host, 'the server did not answer', cause)
  }
}
