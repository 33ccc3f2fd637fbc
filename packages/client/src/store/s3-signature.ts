import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/** Keys of an S3 account. */
export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
}

/** A request before it is signed. */
export interface S3Request {
  readonly method: string
  /** `host` included in none: it is taken from here. */
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the body, hex. */
  readonly bodyDigest: string
}

/**
 * Signs a request to S3 with AWS Signature Version 4, in the `Authorization` header. The signature covers method, path,
 * query, all given headers, the time and the body's digest, so that a request that was seen cannot be used for another.
 * Source: "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon S3 API reference.
 *
 * @param request what is sent; its path is taken as it stands in the URL (percent-encoded once, as S3 wants it)
 * @param options.region for example `eu-central-1`
 * @param options.credentials the account's keys
 * @param options.at the time of signing; the server refuses more than 15 minutes of difference
 * @returns the headers to send
 */
export function signS3Request(
  request: S3Request,
  options: { readonly region: string; readonly credentials: S3Credentials; readonly at: Date },
): Record<string, string> {
  const { credentials, region } = options
  const { url, method, bodyDigest } = request
  const time = options.at.toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': bodyDigest,
    'x-amz-date': time,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  }
  const signed = Object.entries({ ...headers, host: url.host }).sort(([a], [b]) => (a < b ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodePart(name)}=${encodePart(value)}`)
    .sort()
    .join('&')
  const canonical = [
    method,
    url.pathname,
    query,
    ...signed.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, ' ')}`),
    '',
    names,
    bodyDigest,
  ].join('\n')
  const day = time.slice(0, 8)
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', time, scope, bytesToHex(sha256(utf8ToBytes(canonical)))].join('\n')
  let key = utf8ToBytes(`AWS4${credentials.secretAccessKey}`)
  for (const part of [day, region, 's3', 'aws4_request']) key = hmac(sha256, key, utf8ToBytes(part))
  const signature = bytesToHex(hmac(sha256, key, utf8ToBytes(text)))
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`
  return { ...headers, authorization }
}

/** RFC 3986, section 2.3: everything but unreserved characters is encoded; `encodeURIComponent` leaves five more. */
function encodePart(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
