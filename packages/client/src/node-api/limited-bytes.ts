import { ClientError } from '../errors.js'

/**
 * Reads a body, at most `limit` bytes of it, counted as they arrive.
 *
 * @throws ClientError `NODE_ANSWER_INVALID`; what the connection throws when it breaks
 */
export async function limitedBytes(response: Response, limit: number, place: string): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let size = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length
    if (size > limit) {
      // Not awaited: a peer that keeps the connection open must not hold the answer back.
      reader.cancel().catch(() => undefined)
      throw new ClientError('NODE_ANSWER_INVALID', place, `the answer is larger than ${limit} bytes`)
    }
    parts.push(part.value)
  }
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
