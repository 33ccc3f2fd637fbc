import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backend } from '../aead/backend.js'
import { concatBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex } from '../encoding/hex.js'
import { xwingKem } from '../post-quantum/xwing-kem.js'
import { hpkeIdentity } from '../recipient/hpke-recipient.js'
import type { Identity } from '../recipient/recipient.js'
import { walletIdentity } from '../recipient/wallet.js'
import { codeOf, wallet } from '../testing/sealed-fixture.js'
import { decodeArmor, encodeArmor } from './armor.js'
import type { SealContext } from './context.js'
import { openBytes, openStream } from './open.js'

type Name = 'pool' | 'nextPool' | 'wallet' | 'xwing' | 'xwingWallet'
interface Vectors {
  readonly identities: Readonly<Record<Name, { readonly privateKey: string; readonly keyId: string }>>
  readonly positive: readonly {
    readonly name: string
    readonly opens: readonly Name[]
    readonly sealed: string
    readonly plaintext: string
    readonly context: SealContext
    readonly commitmentSalt: string
  }[]
  readonly negative: readonly {
    readonly name: string
    readonly identity: Name
    readonly expect?: Partial<SealContext>
    readonly error: string
    readonly sealed: string
    readonly repeated?: { readonly offset: number; readonly bytes: string; readonly times: number }
  }[]
  readonly armor: {
    readonly positive: readonly { readonly name: string; readonly text: string; readonly sealed: string }[]
    readonly negative: readonly { readonly name: string; readonly text: string; readonly error: string }[]
  }
}
const vectors = JSON.parse(
  readFileSync(new URL('../../../../docs/formats/vectors/sealed-file.json', import.meta.url), 'utf8'),
) as Vectors
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
/** The file of a negative vector, with what it leaves out put in. */
function fileOf({ sealed, repeated }: Vectors['negative'][number]): Uint8Array {
  const file = bytes(sealed)
  if (repeated === undefined) return file
  const part = new Uint8Array(
    Buffer.alloc(repeated.times * bytes(repeated.bytes).length, repeated.bytes, 'base64'),
  )
  return concatBytes(file.subarray(0, repeated.offset), part, file.subarray(repeated.offset))
}
const keyOf = (name: Name) => ({ privateKey: decodeHex(`0x${vectors.identities[name].privateKey}`) })
const identities: Readonly<Record<Name, Identity>> = {
  pool: hpkeIdentity(keyOf('pool')),
  nextPool: hpkeIdentity(keyOf('nextPool')),
  xwing: hpkeIdentity({ ...keyOf('xwing'), kem: xwingKem }),
  wallet,
  xwingWallet: walletIdentity({
    signature: `0x${'11'.repeat(32)}${'22'.repeat(32)}1b`,
    address: wallet.address,
    kem: xwingKem,
  }),
}
const backends: readonly Backend[] = ['native', 'pure']

test('there are at least as many negative vectors as positive ones, each name once', () => {
  const { positive, negative } = vectors
  expect(positive.length).toBeGreaterThan(15)
  expect(negative.length).toBeGreaterThanOrEqual(positive.length)
  const names = [...positive, ...negative].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const [name, identity] of Object.entries(identities)) {
    expect(identity.keyId).toBe(vectors.identities[name as Name].keyId)
  }
})

describe.each(vectors.positive.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
  test.each(vector.opens)('opens for %s, whole and streamed, in either backend', async (name) => {
    for (const backend of backends) {
      const options = { identities: [identities[name]], backend, expect: vector.context }
      const opened = await openBytes(bytes(vector.sealed), options)
      expect(opened.plaintext).toEqual(bytes(vector.plaintext))
      expect(opened.context).toEqual(vector.context)
      expect(encodeHex(opened.commitmentSalt)).toBe(`0x${vector.commitmentSalt}`)
      expect(await streamed(bytes(vector.sealed), options)).toEqual(bytes(vector.plaintext))
    }
  })
})

describe.each(vectors.negative.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
  test(`is refused with ${vector.error}`, async () => {
    for (const backend of backends) {
      const expected = vector.expect === undefined ? {} : { expect: vector.expect }
      const options = { identities: [identities[vector.identity]], backend, ...expected }
      expect(await codeOf(() => openBytes(fileOf(vector), options)), backend).toBe(vector.error)
      const code = await codeOf(() => streamed(fileOf(vector), options))
      // A stream does not know the length beforehand: it finds some missing ends as chunks that are not the last.
      expect([vector.error, vector.error === 'TRUNCATED' ? 'CHUNK_REFUSED' : '']).toContain(code)
    }
  })
})

describe('armour', () => {
  test.each(vectors.armor.positive)('$name', ({ text, sealed }) => {
    expect(decodeArmor(text)).toEqual(bytes(sealed))
    expect(decodeArmor(encodeArmor(bytes(sealed)))).toEqual(bytes(sealed))
  })
  test.each(vectors.armor.negative)('with $name is refused', async ({ text, error }) => {
    expect(await codeOf(() => decodeArmor(text))).toBe(error)
  })
})

async function streamed(sealed: Uint8Array, options: Parameters<typeof openStream>[0]): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  const reader = new Blob([new Uint8Array(sealed)]).stream().pipeThrough(openStream(options)).getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value)
  return concatBytes(...parts)
}
