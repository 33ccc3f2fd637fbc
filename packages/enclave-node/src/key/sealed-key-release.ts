/**
 * Key release by a machine that seals to its own measurement: the root secret lies in the data folder, and only the same code on
 * the same machine opens it. New code needs the secret from elsewhere.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CryptoError, concatBytes, decodeBase64Url, encodeBase64Url } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { KeyRelease } from './key-release.js'
import { replaceWhole, writeOnce } from './write-once.js'

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

/** What stands behind a root that has no recovery. */
const withoutRecovery = 1

const fileSchema = z.strictObject({
  format: z.literal('sealpool/sealed-root'),
  version: z.literal(1),
  sealer: z.string(),
  sealed: z.string().max(65_536),
})

/**
 * @param options `directory`: the data folder; `random`: where the secret comes from the first time
 * @returns the adapter; `simulated` as its sealer is. A root without recovery is given to settings without recovery alone: what is
 * sealed with it says so
 */
export function sealedKeyRelease(options: {
  readonly directory: string
  readonly sealer: MeasurementSealer
  readonly random: (length: number) => Uint8Array
  /** `none`: a root that is sealed here says that it goes nowhere else; see the setting `keyRecovery`. */
  readonly recovery?: 'allowed' | 'none'
}): KeyRelease {
  const { directory, sealer, random, recovery = 'allowed' } = options
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
      if (root?.length === 32 && recovery === 'allowed') return root
      if (root?.length === 33 && root[32] === withoutRecovery && recovery === 'none') return root.slice(0, 32)
      if (root?.length === 32 || root?.length === 33)
        throw unreadable(
          'it was sealed under another setting keyRecovery, which cannot be changed afterwards',
        )
    } catch (cause) {
      if (cause instanceof NodeError) throw cause
      if (!(cause instanceof z.ZodError || cause instanceof SyntaxError || cause instanceof CryptoError))
        throw cause
      throw unreadable('it is not a sealed secret', cause)
    }
    throw unreadable('this machine with this code does not open it')
  }
  const textOf = async (root: Uint8Array): Promise<string> => {
    const content = recovery === 'none' ? concatBytes(root, new Uint8Array([withoutRecovery])) : root
    const sealed = encodeBase64Url(await sealer.seal(content))
    return `${JSON.stringify({ format: 'sealpool/sealed-root', version: 1, sealer: sealer.name, sealed })}\n`
  }
  return {
    name: 'sealed',
    simulated: sealer.simulated,
    async release() {
      const kept = await read()
      if (kept !== undefined) return kept
      const root = random(32)
      if (writeOnce(path, await textOf(root))) return root
      const other = await read()
      if (other !== undefined) return other
      throw unreadable('it came and went')
    },
    install: async (root) => replaceWhole(path, await textOf(root)),
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
