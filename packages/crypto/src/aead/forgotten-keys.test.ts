import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hpkeOpen, hpkeReceiver, hpkeSeal } from '../hpke/hpke.js'
import { deriveKeyPair } from '../hpke/x25519-kem.js'
import { nodeCrypto, platformRandom } from '../platform.js'
import { hpkeIdentity, hpkeRecipient } from '../recipient/hpke-recipient.js'
import type { Identity } from '../recipient/recipient.js'
import { openBytes } from '../sealed-file/open.js'
import { seal, sealBytes } from '../sealed-file/seal.js'
import { bytesOf, context, poolKey } from '../testing/sealed-fixture.js'
import { type AeadName, aeadSizes, importAeadKey, provideCipherEngine } from './aead.js'
import { nodeKey } from './node-key.js'

/* Whose bytes hold a key while it is used, and what is in them afterwards. */

const node = nodeCrypto()
if (node === undefined) throw new Error('these tests run in Node')
const { createCipheriv, createDecipheriv } = node
const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0)
/** Keys that were given to be made ready, keys that ciphers read, and plaintexts that they gave. */
let given: Uint8Array[] = []
let used: Uint8Array[] = []
let plaintexts: Uint8Array[] = []

beforeEach(() => {
  given = []
  used = []
  plaintexts = []
  node.createCipheriv = (name, key, nonce, options) => {
    used.push(key)
    return createCipheriv(name, key, nonce, options)
  }
  node.createDecipheriv = (name, key, nonce, options) => {
    used.push(key)
    const cipher = createDecipheriv(name, key, nonce, options)
    const update = cipher.update.bind(cipher)
    cipher.update = (bytes) => {
      const plaintext = update(bytes)
      plaintexts.push(plaintext)
      return plaintext
    }
    return cipher
  }
  provideCipherEngine(async (name, key, letOthersRun) => {
    given.push(key)
    return nodeKey(node, name, key, letOthersRun)
  })
})
afterEach(() => {
  node.createCipheriv = createCipheriv
  node.createDecipheriv = createDecipheriv
  provideCipherEngine(async (name, key, letOthersRun) => nodeKey(node, name, key, letOthersRun))
})

const keys = () => [...given, ...used]
const recipients = [hpkeRecipient(poolKey)]
const identities = [hpkeIdentity(poolKey)]

describe.each(['aes-256-gcm', 'xchacha20-poly1305'] as const)('a sealed file under %s', (suite) => {
  const options = { recipients, context, suite, chunkSize: 64, random: platformRandom }

  test('leaves no key when it was sealed', async () => {
    await sealBytes(bytesOf(200), options)
    expect(given).toHaveLength(2)
    expect(used).toHaveLength(5)
    expect(keys().filter((key) => !isZero(key))).toEqual([])
  })

  test('leaves no key when it was sealed as a stream', async () => {
    const { commitment } = (await openBytes(await sealBytes(bytesOf(200), options), { identities })).context
    const { readable, writable } = seal({ ...options, context: { ...context, commitment } })
    const writer = writable.getWriter()
    const written = writer.write(bytesOf(200)).then(() => writer.close())
    for await (const _ of readable as unknown as AsyncIterable<Uint8Array>);
    await written
    expect(keys().filter((key) => !isZero(key))).toEqual([])
  })

  test('leaves neither key nor piece of the plaintext when it was opened', async () => {
    const file = await sealBytes(bytesOf(200), options)
    used = []
    given = []
    expect((await openBytes(file, { identities })).plaintext).toEqual(bytesOf(200))
    expect(given).toHaveLength(2)
    expect(used).toHaveLength(5)
    expect(keys().filter((key) => !isZero(key))).toEqual([])
    expect(plaintexts).toHaveLength(5)
    expect(plaintexts.filter((bytes) => !isZero(bytes))).toEqual([])
  })

  test('leaves no key when a piece of it is refused', async () => {
    const file = await sealBytes(bytesOf(200), options)
    file[file.length - 1] = (file.at(-1) ?? 0) ^ 1
    await expect(openBytes(file, { identities })).rejects.toMatchObject({ code: 'CHUNK_REFUSED' })
    expect(keys().filter((key) => !isZero(key))).toEqual([])
  })
})

describe('a file key', () => {
  test('is overwritten where a source gives it away, and nowhere else', async () => {
    const drawn: Uint8Array[] = []
    const random = (length: number) => {
      const bytes = platformRandom(length)
      drawn.push(bytes)
      return bytes
    }
    await sealBytes(bytesOf(9), { recipients, context, random })
    expect(drawn.some(isZero)).toBe(false)
    drawn.length = 0
    await sealBytes(bytesOf(9), {
      recipients,
      context,
      random: Object.assign(random, { givesAway: true as const }),
    })
    expect(drawn.map(isZero)[0]).toBe(true)
  })

  test('is overwritten where an identity gives it away, and nowhere else', async () => {
    const file = await sealBytes(bytesOf(9), { recipients, context, random: platformRandom })
    const [own] = identities
    const unwrapped: Uint8Array[] = []
    const watching = (givesAway?: true): Identity => ({
      type: 'hpke',
      keyId: 'watching',
      givesAway,
      async unwrap(request) {
        const key = await own?.unwrap(request)
        if (key !== undefined) unwrapped.push(key)
        return key
      },
    })
    expect(own?.givesAway).toBe(true)
    for (const identity of [watching(), watching(true)])
      expect((await openBytes(file, { identities: [identity] })).plaintext).toEqual(bytesOf(9))
    expect(unwrapped.map(isZero)).toEqual([false, true])
  })
})

describe('a message', () => {
  const pair = deriveKeyPair(platformRandom(32))
  const about = { info: bytesOf(3), aad: bytesOf(4) }

  test('leaves no key when it was sealed or opened', async () => {
    const message = await hpkeSeal({
      ...about,
      publicKey: pair.publicKey,
      plaintext: bytesOf(50),
      random: platformRandom,
    })
    expect(await hpkeOpen({ ...about, privateKey: pair.privateKey, message })).toEqual(bytesOf(50))
    expect(keys()).toHaveLength(4)
    expect(keys().filter((key) => !isZero(key))).toEqual([])
  })

  test('of a conversation leaves the key for the next one', async () => {
    const message = await hpkeSeal({
      ...about,
      publicKey: pair.publicKey,
      plaintext: bytesOf(50),
      random: platformRandom,
    })
    const receiver = await hpkeReceiver({
      info: about.info,
      privateKey: pair.privateKey,
      enc: message.slice(0, 32),
    })
    expect(await receiver.open(message.slice(32), about.aad)).toEqual(bytesOf(50))
    expect(receiver.exportSecret(bytesOf(1), 32)).toEqual(receiver.exportSecret(bytesOf(1), 32))
  })
})

test.each(
  (Object.keys(aeadSizes) as AeadName[]).flatMap((name) =>
    (['auto', 'webcrypto', 'pure'] as const).map((backend) => [name, backend] as const),
  ),
)('a key that was made ready is a copy (%s, %s)', async (name, backend) => {
  const secret = new Uint8Array(aeadSizes[name].key).fill(1)
  const nonce = new Uint8Array(aeadSizes[name].nonce)
  const key = await importAeadKey(name, secret, backend)
  const before = await key.seal(nonce, bytesOf(3))
  secret.fill(0)
  expect(await key.seal(nonce, bytesOf(3))).toEqual(before)
})
