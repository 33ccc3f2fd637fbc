import type { Decompress } from './source/inflate.js'

type Zlib = typeof import('node:zlib')

function nodeZlib(): Zlib | undefined {
  // No import: the same source runs in browsers, where there is no such module (process.getBuiltinModule: Node 20.16).
  const get = globalThis.process?.getBuiltinModule
  return typeof get === 'function' ? get('node:zlib') : undefined
}

/**
 * Decompression through `node:zlib`, where there is one: it tells how many bytes it took, so that nothing is passed over.
 *
 * @returns the decompression in Node 20.16 and later, undefined elsewhere (browsers)
 */
export function nodeDecompress(): Decompress | undefined {
  const zlib = nodeZlib()
  if (zlib === undefined) return undefined
  return async function* (chunks, format, onRest) {
    const stream = format === 'gzip' ? zlib.createGunzip() : zlib.createInflateRaw()
    // Each is thrown below, or comes after the reader has stopped; here it must only not be unhandled.
    stream.on('error', () => undefined)
    /** Writes a chunk; done when the engine has taken what it takes of it, and what came of it was read. */
    const write = (chunk: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        const stopped = () => reject(new Error('the stream was stopped'))
        stream.once('close', stopped)
        stream.write(chunk, (error) => {
          stream.off('close', stopped)
          if (error === null || error === undefined) resolve()
          else reject(error)
        })
      })
    const feed = async () => {
      let offered = 0
      try {
        for await (const chunk of chunks) {
          const before = offered
          offered += chunk.length
          // Once it has left something, nothing is taken any more.
          if (stream.bytesWritten === before) await write(chunk)
          const rest = chunk.subarray(Math.max(0, stream.bytesWritten - before))
          if (rest.length > 0) onRest(rest)
        }
        stream.end()
      } catch (error) {
        stream.destroy()
        throw error
      }
    }
    const fed = feed()
    fed.catch(() => undefined)
    try {
      yield* stream as AsyncIterable<Uint8Array>
    } catch (error) {
      // A stream that was destroyed ends too early; why is known by what fed it.
      await fed
      throw error
    }
    await fed
  }
}
