import { maximumJsonDepth } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { limitedBytes } from '../limited-bytes.js'

/**
 * Reads a node's answer as JSON. Whatever the bytes are, it ends with a value or a typed error: the size is counted as
 * bytes arrive (after decompression), and nesting is bounded, since schemas walk answers by recursion.
 *
 * @param response a response whose body nobody has read
 * @param limit largest body in bytes
 * @param place named in errors
 * @returns the parsed JSON
 * @throws ClientError `NODE_ANSWER_INVALID`; what the connection throws when it breaks
 */
export async function readAnswer(response: Response, limit: number, place: string): Promise<unknown> {
  const bytes = await limitedBytes(response, limit, () =>
    invalid(place, `the answer is larger than ${limit} bytes`),
  )
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw invalid(place, `HTTP ${response.status} with a body that is not JSON`)
  }
  if (deeperThan(json, maximumJsonDepth)) throw invalid(place, 'the answer is nested too deeply')
  return json
}

function deeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  return Object.values(value).some((inner) => deeperThan(inner, depth - 1))
}

function invalid(place: string, message: string): ClientError {
  return new ClientError('NODE_ANSWER_INVALID', place, message)
}
