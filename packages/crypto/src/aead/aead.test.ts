import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { equalBytes } from '../encoding/bytes.js'
import { nodeCrypto } from '../platform.js'
import { codeOf } from '../testing/sealed-fixture.js'
import { type AeadName, aeadSizes, importAeadKey } from './aead.js'
import type { Backend } from './backend.js'
import { nodeKey } from './node-key.js'

const names = Object.keys(aeadSizes) as AeadName[]
const backends: readonly Backend[] = ['auto', 'native', 'webcrypto', 'pure']

describe.each(names)('%s', (name) => {
  const { key: keyLength, nonce: nonceLength } = aeadSizes[name]
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })

  test('gives the same bytes in every backend, and each opens the others', async () => {
    await fc.assert(
      fc.asyncProperty(
        bytes(keyLength),
        bytes(nonceLength),
        fc.uint8Array({ maxLength: 200 }),
        fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
        async (key, nonce, plaintext, associated) => {
          const keys = await Promise.all(backends.map((backend) => importAeadKey(name, key, backend)))
          const [sealed = new Uint8Array(), ...others] = await Promise.all(
            keys.map((each) => each.seal(nonce, plaintext, associated)),
          )
          for (const other of others) expect(other).toEqual(sealed)
          for (const each of keys) expect(await each.open(nonce, sealed, associated)).toEqual(plaintext)
        },
      ),
      { numRuns: 40 },
    )
  })

  test.each(backends)(
    'opens nothing that was changed, cut or moved to another nonce (%s)',
    async (backend) => {
      const key = await importAeadKey(name, new Uint8Array(keyLength).fill(1), backend)
      const nonce = new Uint8Array(nonceLength).fill(2)
      const associated = new Uint8Array([3])
      const sealed = await key.seal(nonce, new Uint8Array(20).fill(4), associated)
      for (let at = 0; at < sealed.length; at++) {
        const changed = sealed.map((byte, index) => (index === at ? byte ^ 1 : byte))
        expect(await key.open(nonce, changed, associated)).toBeUndefined()
        expect(await key.open(nonce, sealed.slice(0, at), associated)).toBeUndefined()
      }
      for (let at = 0; at < nonceLength; at++) {
        const other = nonce.map((byte, index) => (index === at ? byte ^ 1 : byte))
        expect(await key.open(other, sealed, associated)).toBeUndefined()
      }
      expect(await key.open(nonce, sealed, new Uint8Array([4]))).toBeUndefined()
      expect(await key.open(nonce, sealed)).toBeUndefined()
    },
  )
})

test.each(names.flatMap((name) => backends.map((backend) => [name, backend] as const)))(
  'reads what it is given before it returns (%s, %s)',
  async (name, backend) => {
    const key = await importAeadKey(
      name,
      new Uint8Array(32).fill(1).subarray(0, aeadSizes[name].key),
      backend,
    )
    const nonce = new Uint8Array(aeadSizes[name].nonce)
    const plaintext = new Uint8Array(5_000_000).fill(7)
    const sealed = await key.seal(nonce, plaintext.slice())
    const lent = plaintext.slice()
    const sealing = key.seal(nonce, lent)
    lent.fill(0)
    expect(equalBytes(await sealing, sealed)).toBe(true)
    const lentSealed = sealed.slice()
    const opening = key.open(nonce, lentSealed)
    lentSealed.fill(0)
    expect(equalBytes((await opening) ?? lent, plaintext)).toBe(true)
  },
)

describe('Node’s OpenSSL', () => {
  const node = nodeCrypto()
  if (node === undefined) throw new Error('these tests run in Node')

  test('lets other work of the program run after every 4 MiB', async () => {
    let turns = 0
    const key = nodeKey(node, 'aes-256-gcm', new Uint8Array(32), async () => {
      turns += 1
    })
    const mebibyte = new Uint8Array(1_048_576)
    const nonce = new Uint8Array(12)
    for (let index = 0; index < 8; index++) await key.seal(nonce, mebibyte)
    expect(turns).toBe(2)
    const sealed = await key.seal(nonce, mebibyte)
    for (let index = 0; index < 7; index++) await key.open(nonce, sealed)
    expect(turns).toBe(4)
  })

  test.each(['aes-256-gcm', 'xchacha20-poly1305'] as const)(
    'keeps its own copy of the key (%s)',
    async (name) => {
      const secret = new Uint8Array(32).fill(1)
      const key = nodeKey(node, name, secret, async () => undefined)
      const nonce = new Uint8Array(aeadSizes[name].nonce)
      const before = await key.seal(nonce, new Uint8Array(3))
      secret.fill(0)
      expect(await key.seal(nonce, new Uint8Array(3))).toEqual(before)
    },
  )
})

test('an unknown backend is refused', async () => {
  const work = () => importAeadKey('aes-256-gcm', new Uint8Array(32), 'fast' as Backend)
  expect(await codeOf(work)).toBe('OPTION_INVALID')
})
