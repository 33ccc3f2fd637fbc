import { type Digest, digestOf, type JsonObject, sha256Digest } from '@sealpool/crypto'
import { consentDigest, parseConsentRecord } from '../consent/consent-record.js'
import { usage } from './arguments.js'
import { readBytes } from './settings.js'

/**
 * The digest of what a person agrees to.
 *
 * @param text a digest; or a file: a consent record, or the bare words
 * @param policy the pool's, as the person read it
 * @throws ClientError `OPTION_INVALID` for a file that cannot be read, and a record of another policy
 */
export async function consentArgument(text: string, policy: JsonObject): Promise<Digest> {
  const place = '--consent'
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return text as Digest
  if (text.startsWith('sha256:')) throw usage(place, 'expected sha256: and 64 lower-case hexadecimal digits')
  const bytes = await readBytes(text, place)
  const json = recordIn(bytes)
  if (json === undefined) return sha256Digest(bytes)
  const record = parseConsentRecord(json)
  if (record.policy !== digestOf(policy))
    throw usage(place, 'the record is about another policy than the one that you read (--policy)')
  return consentDigest(record)
}

/** Bytes that say of themselves that they are a record; anything else is words. */
function recordIn(bytes: Uint8Array): object | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (typeof json !== 'object' || json === null || !('format' in json)) return undefined
    return json.format === 'sealpool/consent' ? json : undefined
  } catch {
    return undefined
  }
}
