import type { JsonValue } from '@sealpool/crypto'
import { PocError } from '../../errors.js'
import { canonicalText, parseJson } from '../json-object.js'
import { type OAuthSource, readableUrl } from './oauth-source.js'
import { parseReadBackFile, type ReadBackFile } from './read-back-file.js'

/** What a provider is asked. Whoever implements the port keeps the token out of every log, error and metric. */
export interface OAuthRequest {
  /** Read by GET; a redirect is an answer and is not followed. */
  readonly url: string
  /** Goes into `Authorization: Bearer` and nowhere else. */
  readonly token: string
  /** The body is read no further than one byte more. */
  readonly maximumBytes: number
}

/** What a provider answered. */
export interface OAuthResponse {
  readonly status: number
  /** Address that answered. */
  readonly url: string
  readonly bytes: Uint8Array
  /** When, Unix seconds of the host's clock. */
  readonly readAt: number
}

/** Asks a provider. It is the one part that talks. */
export type OAuthPort = (request: OAuthRequest) => Promise<OAuthResponse>

/** Why nothing was read. No reason holds a value. */
export type ReadBackFailure =
  /** The contribution is no file of `formatReadBackFile`. */
  | 'MALFORMED_FILE'
  /** The host's settings do not allow this provider's host, or the source's address is none. */
  | 'HOST_NOT_ALLOWED'
  | 'TOKEN_EXPIRED'
  /** It would count for longer than the source allows: whoever finds it later could use it. */
  | 'TOKEN_TOO_LONG_LIVED'
  /** The token stands in the export, from where it would go into rows. */
  | 'TOKEN_IN_EXPORT'
  /** No complete answer came. */
  | 'READ_FAILED'
  | 'REDIRECTED'
  /** 401 or 403. */
  | 'TOKEN_REFUSED'
  /** Another status than 200. */
  | 'PROVIDER_REFUSED'
  | 'ANSWER_TOO_LARGE'
  /** The answer is not JSON, or has a member twice. */
  | 'ANSWER_NOT_JSON'
  /** The token stands in the answer. */
  | 'TOKEN_ECHOED'

/** A provider's answer as `verifyReadBack` takes it, or why there is none. */
export type ReadBackAnswer =
  | { readonly url: string; readonly readAt: number; readonly body: JsonValue }
  | { readonly failure: ReadBackFailure }

/** What came of reading back. The token is in none of it. */
export interface ReadBack {
  /** The export alone, as canonical JSON: what is judged from here on. Undefined for a malformed file, and where it holds the token. */
  readonly export: Uint8Array | undefined
  readonly answer: ReadBackAnswer
}

const defaultMaximumBytes = 1024 * 1024
const defaultTokenSeconds = 3_600

const answers = new WeakMap<Uint8Array, ReadBackAnswer>()

/** The answer that {@link oauthReadBack} had for these very bytes; nobody else can give one. */
export function answerFor(exported: Uint8Array): ReadBackAnswer | undefined {
  return answers.get(exported)
}

/**
 * Takes token and export of a contribution apart, asks the provider once, and remembers the answer for the export that it gives: `verifySource`,
 * `verifyContribution` and `runPoc` find it where they are given these very bytes. Without it an export is never authentic by such a source.
 *
 * @param options as {@link ReadBackOptions}
 * @returns export and answer. It is total but for options; what the port throws is `READ_FAILED`, and not kept: it may quote the token
 * @throws PocError `OPTION_INVALID` for a time or a size that is none
 * @example
 * ```ts
 * import { formatReadBackFile, oauthReadBack, verifySource } from '@sealpool/poc/authenticity'
 * const source = {
 *   kind: 'oauth-read-back', provider: 'example.org', url: 'https://api.example.org/me', maximumAgeSeconds: 600,
 *   account: { answer: '/id', export: '/account' }, fields: [{ answer: '/steps', export: '/steps' }],
 * } as const
 * const at = 1_800_000_000
 * const file = formatReadBackFile({ token: 'a-token-of-this-test', expiresAt: at + 600, export: { account: 'u7', steps: 4000 } })
 * const port = async ({ url }: { url: string }) => ({
 *   url, status: 200, readAt: at, bytes: new TextEncoder().encode('{"id":"u7","steps":4000}'),
 * })
 * const { export: bytes } = await oauthReadBack({ source, file, port, allowedHosts: ['api.example.org'], at })
 * console.log(bytes && verifySource({ source, bytes, at })[0]?.authentic) // true
 * ```
 */
export async function oauthReadBack(options: ReadBackOptions): Promise<ReadBack> {
  const { at, maximumBytes = defaultMaximumBytes } = options
  for (const [name, value] of Object.entries({ at, maximumBytes }))
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new PocError('OPTION_INVALID', name, 'it is a positive whole number')
  const file = parseReadBackFile(options.file)
  const text = file === undefined ? undefined : canonicalText(file.export)
  if (file === undefined || text === undefined)
    return { export: undefined, answer: { failure: 'MALFORMED_FILE' } }
  // In canonical JSON no letter of a token is escaped. Such an export goes nowhere.
  if (text.includes(file.token)) return { export: undefined, answer: { failure: 'TOKEN_IN_EXPORT' } }
  const answer = await ask(file, { ...options, maximumBytes })
  const exported = new TextEncoder().encode(text)
  answers.set(exported, answer)
  return { export: exported, answer }
}

/** What reading back takes. */
export interface ReadBackOptions {
  /** As the approved code declares it. */
  readonly source: OAuthSource
  /** The opened contribution, hostile. */
  readonly file: Uint8Array
  readonly port: OAuthPort
  /** Hosts that the host's own settings allow, each with its port where that is not 443. */
  readonly allowedHosts: readonly string[]
  /** Unix seconds, by which the token's end is judged. */
  readonly at: number
  /** Largest answer in bytes; 1 MiB when absent. */
  readonly maximumBytes?: number
}

async function ask(
  { token, expiresAt }: ReadBackFile,
  { source, port, allowedHosts, at, maximumBytes }: ReadBackOptions & { readonly maximumBytes: number },
): Promise<ReadBackAnswer> {
  const url = readableUrl(source.url)
  if (url === undefined || !allowedHosts.includes(url.host)) return { failure: 'HOST_NOT_ALLOWED' }
  if (expiresAt <= at) return { failure: 'TOKEN_EXPIRED' }
  const longest = source.maximumTokenSeconds ?? defaultTokenSeconds
  if (expiresAt - at > longest) return { failure: 'TOKEN_TOO_LONG_LIVED' }
  let response: OAuthResponse
  try {
    response = await port({ url: url.href, token, maximumBytes })
  } catch {
    // Told, and not kept as a cause: what a client of HTTP throws may quote the header.
    return { failure: 'READ_FAILED' }
  }
  const { status, bytes, readAt } = response
  if (status >= 300 && status < 400) return { failure: 'REDIRECTED' }
  if (status === 401 || status === 403) return { failure: 'TOKEN_REFUSED' }
  if (status !== 200) return { failure: 'PROVIDER_REFUSED' }
  if (bytes.length > maximumBytes) return { failure: 'ANSWER_TOO_LARGE' }
  const body = parseJson(bytes)
  const written = body === undefined ? undefined : canonicalText(body)
  if (body === undefined || written === undefined) return { failure: 'ANSWER_NOT_JSON' }
  if (written.includes(token)) return { failure: 'TOKEN_ECHOED' }
  return { url: response.url, readAt, body }
}
