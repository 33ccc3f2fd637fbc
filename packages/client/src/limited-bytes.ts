/**
 * Reads a body, at most `limit` bytes of it, counted as they arrive.
 *
 * @param response - an answer whose body nobody has read
 * @param limit - most bytes
 * @param tooLarge - the error for more
 * @returns the body
 * @throws what `tooLarge` gives; what the connection throws when it breaks
 */
export async function limitedBytes(
  response: Response,
  limit: number,
  tooLarge: () => Error,
): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let size = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length
    if (size > limit) {
      // Not awaited: a peer that keeps the connection open must not hold the answer back.
      reader.cancel().catch(() => undefined)
      throw tooLarge()
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
