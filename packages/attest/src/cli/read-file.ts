import { readFile, stat } from 'node:fs/promises'
import process from 'node:process'
import type { JsonValue } from '@sealpool/crypto'

/** A file is missing or cannot be read: the question cannot be answered, which is not the same as "no". */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError'
}

/** Largest file that is read into memory: results and quotes are small, and a wrong path may be anything. */
const maximumBytes = 256 * 1024 * 1024

/**
 * Reads a whole file, or standard input for `-`.
 *
 * @throws UnreadableError when it is missing, no regular file, too large or unreadable
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  if (path === '-') return readInput(process.stdin)
  try {
    const facts = await stat(path)
    if (!facts.isFile()) throw new UnreadableError(`${path} is not a file.`)
    if (facts.size > maximumBytes) throw new UnreadableError(`${path} is larger than ${maximumBytes} bytes.`)
    return new Uint8Array(await readFile(path))
  } catch (error) {
    if (error instanceof UnreadableError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
    throw new UnreadableError(`${path} cannot be read (${code}).`)
  }
}

/**
 * Reads a stream to its end.
 *
 * @throws UnreadableError when it is too large or breaks
 */
export async function readInput(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const part of stream) {
      const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part
      size += bytes.length
      if (size > maximumBytes)
        throw new UnreadableError(`Standard input is larger than ${maximumBytes} bytes.`)
      parts.push(bytes)
    }
  } catch (error) {
    if (error instanceof UnreadableError) throw error
    throw new UnreadableError('Standard input cannot be read.')
  }
  return new Uint8Array(Buffer.concat(parts))
}

/**
 * Reads a JSON file of any layout.
 *
 * @throws UnreadableError when it is missing or no JSON
 */
export async function readJson(path: string): Promise<JsonValue> {
  const bytes = await readBytes(path)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as JsonValue
  } catch {
    throw new UnreadableError(`${path} is not JSON.`)
  }
}
