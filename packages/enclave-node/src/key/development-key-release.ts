/**
 * DEVELOPMENT ONLY: the root secret as a plain file in the data folder. Sealing it under a key that would lie in the
 * same folder would only look safer; the file says what it is instead.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeHex, encodeHex, type Hex } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { KeyRelease } from './key-release.js'
import { replaceWhole, writeOnce } from './write-once.js'

/** Name of the file; loud on purpose. */
export const developmentKeyFile = 'DEVELOPMENT-ROOT-SECRET.json'

const fileSchema = z.strictObject({
  format: z.literal('sealpool/development-root-secret'),
  warning: z.string(),
  secret: z.string().regex(/^0x[0-9a-f]{64}$/),
})

/**
 * Key release for a developer's machine: makes the secret on the first call, reads it afterwards.
 * @param options `directory`: the node's data folder
 * @returns the adapter; `simulated` is true
 */
export function developmentKeyRelease(options: { readonly directory: string }): KeyRelease {
  const path = join(options.directory, developmentKeyFile)
  return {
    name: 'development',
    simulated: true,
    async release() {
      let text: string
      try {
        text = readFileSync(path, 'utf8')
      } catch (cause) {
        if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw unreadable(cause)
        const secret = create(path)
        if (secret !== undefined) return secret
        text = readFileSync(path, 'utf8')
      }
      let parsed: unknown
      try {
        parsed = JSON.parse(text)
      } catch {
        throw unreadable()
      }
      const file = fileSchema.safeParse(parsed)
      if (!file.success) throw unreadable()
      return decodeHex(file.data.secret as Hex)
    },
    install: async (root) => replaceWhole(path, textOf(root)),
  }
}

function create(path: string): Uint8Array | undefined {
  const secret = Uint8Array.from(randomBytes(32))
  return writeOnce(path, textOf(secret)) ? secret : undefined
}

function textOf(secret: Uint8Array): string {
  return `${JSON.stringify(
    {
      format: 'sealpool/development-root-secret',
      warning:
        'DEVELOPMENT, NOT HARDWARE: whoever reads this file can open every contribution to this node. Never use it with real data of real people who trust an enclave.',
      secret: encodeHex(secret),
    },
    null,
    2,
  )}\n`
}

function unreadable(cause?: unknown): NodeError {
  return new NodeError(
    'KEY_UNREADABLE',
    developmentKeyFile,
    'the root secret cannot be read; restore the file, without it nothing sealed to this node can be opened',
    { cause },
  )
}
