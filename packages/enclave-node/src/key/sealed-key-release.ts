/**
 * Key release by a machine that seals to its own measurement: the root secret lies in the data folder, and only the same code on
 * the same machine opens it. New code needs the secret from elsewhere.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CryptoError, decodeBase64Url, encodeBase64Url } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { KeyRelease } from './key-release.js'
import { writeOnce } from './write-once.js'

/** What seals to the measurement of the machine that it is on. */
export interface MeasurementSealer {
  readonly name: string
  /** True when no hardware does it. */
  readonly simulated: boolean
  seal(secret: Uint8Array): Promise<Uint8Array>
  /** @returns the secret; undefined when it was sealed on another machine or to another measurement, or was changed */
  open(sealed: Uint8Array): Promise<Uint8Array | undefined>
}

/** Name of the file in the data folder. */
export const sealedRootFile = 'sealed-root.json'

const fileSchema = z.strictObject({
  format: z.literal('sealpool/sealed-root'),
  version: z.literal(1),
  sealer: z.string(),
  sealed: z.string().max(65_536),
})

/**
 * @param options `directory`: the data folder; `random`: where the secret comes from the first time
 * @returns the adapter; `simulated` as its sealer is
 */
export function sealedKeyRelease(options: {
  readonly directory: string
  readonly sealer: MeasurementSealer
  readonly random: (length: number) => Uint8Array
}): KeyRelease {
  const { directory, sealer, random } = options
  const path = join(directory, sealedRootFile)
  const read = async (): Promise<Uint8Array | undefined> => {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
      throw unreadable('it cannot be read', cause)
    }
    try {
      const file = fileSchema.parse(JSON.parse(text))
      if (file.sealer !== sealer.name)
        throw unreadable(`it was sealed by ${JSON.stringify(file.sealer.slice(0, 40))}`)
      const root = await sealer.open(decodeBase64Url(file.sealed))
      if (root?.length === 32) return root
    } catch (cause) {
      if (cause instanceof NodeError) throw cause
      if (!(cause instanceof z.ZodError || cause instanceof SyntaxError || cause instanceof CryptoError))
        throw cause
      throw unreadable('it is not a sealed secret', cause)
    }
    throw unreadable('this machine with this code does not open it')
  }
  return {
    name: 'sealed',
    simulated: sealer.simulated,
    async release() {
      const kept = await read()
      if (kept !== undefined) return kept
      const root = random(32)
      const sealed = encodeBase64Url(await sealer.seal(root))
      const file = { format: 'sealpool/sealed-root', version: 1, sealer: sealer.name, sealed }
      if (writeOnce(path, `${JSON.stringify(file)}\n`)) return root
      const other = await read()
      if (other !== undefined) return other
      throw unreadable('it came and went')
    },
  }
}

function unreadable(why: string, cause?: unknown): NodeError {
  return new NodeError(
    'KEY_UNREADABLE',
    sealedRootFile,
    `${why}; without it nothing sealed to this node can be opened: restore it, or start the code and machine that made it`,
    { cause },
  )
}
