import {
  inclusionProof,
  leafHash,
  parseCheckpoint,
  parseEntryBundle,
  parseLogEntry,
  parseNote,
  tilePath,
  tileWidth,
} from '@sealpool/attest/log'
import { type Hex, hexToDigest } from '@sealpool/crypto'
import { ClientError } from '../errors.js'
import { limitedBytes } from '../limited-bytes.js'
import type { LogSource } from './require-logged.js'

/** How to read a log of static tiles. */
export interface TiledLogOptions {
  /** Base address, under which `checkpoint` and `tile/…` stand; http or https. */
  readonly url: string
  /** Largest log that is read whole, in entries; default 16,384. */
  readonly maximumEntries?: number
  /** Milliseconds for one request; default 30,000. */
  readonly timeoutMs?: number
  /** Another fetch, for tests or a proxy. */
  readonly fetch?: typeof globalThis.fetch
}

const maximumBytes = 16 * 1024 * 1024

/**
 * Reads a log that is published as static files (C2SP tlog-tiles): the checkpoint, then all entry bundles, in which the
 * newest entry on the measurement is looked for. Fit for logs of code, which stay small.
 *
 * @param options where the log is
 * @returns the source; it throws ClientError `NODE_UNREACHABLE` or `NODE_ANSWER_INVALID`, AttestError `BAD_LOG`
 * @throws ClientError `OPTION_INVALID`
 */
export function tiledLogSource(options: TiledLogOptions): LogSource {
  const maximumEntries = options.maximumEntries ?? 16_384
  const base = URL.canParse(options.url) ? new URL(options.url) : undefined
  if (base === undefined || !['http:', 'https:'].includes(base.protocol)) {
    throw new ClientError('OPTION_INVALID', 'url', 'a log has an http or https address')
  }
  const address = base.href.replace(/\/+$/, '')

  async function read(path: string): Promise<Uint8Array> {
    try {
      const response = await (options.fetch ?? globalThis.fetch)(`${address}/${path}`, {
        redirect: 'error',
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        cache: 'no-store',
        signal: AbortSignal.timeout(options.timeoutMs ?? 30_000),
      })
      if (!response.ok) {
        await response.body?.cancel()
        throw new ClientError('NODE_UNREACHABLE', path, `the log answered ${response.status}`)
      }
      return await limitedBytes(
        response,
        maximumBytes,
        () => new ClientError('NODE_ANSWER_INVALID', path, `the answer is larger than ${maximumBytes} bytes`),
      )
    } catch (cause) {
      if (cause instanceof ClientError) throw cause
      throw new ClientError('NODE_UNREACHABLE', path, 'the log gave no complete answer in time', { cause })
    }
  }

  return async (measurement: Hex) => {
    const checkpoint = new TextDecoder().decode(await read('checkpoint'))
    const { size } = parseCheckpoint(parseNote(checkpoint).text)
    if (size > maximumEntries) {
      throw new ClientError(
        'NODE_ANSWER_INVALID',
        'checkpoint',
        `the log has more than ${maximumEntries} entries`,
      )
    }
    const entries: Uint8Array[] = []
    for (let start = 0; start < size; start += tileWidth) {
      const width = Math.min(tileWidth, size - start)
      const path = tilePath('entries', start / tileWidth, width)
      entries.push(...parseEntryBundle(await read(path)).slice(0, width))
    }
    const wanted = hexToDigest(measurement)
    const index = entries.findLastIndex((entry) => isOn(entry, wanted))
    const entry = entries[index]
    if (entry === undefined) return undefined
    return { entry, index, proof: inclusionProof(entries.map(leafHash), index), checkpoint }
  }
}

function isOn(entry: Uint8Array, digest: string): boolean {
  try {
    const read = parseLogEntry(entry)
    return read.kind === 'measurement' && read.digest === digest
  } catch {
    // A log may hold entries of kinds that are not known here.
    return false
  }
}
