import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../canonical-json/canonical-bytes.js'
import { sha256Digest } from '../digest/digest.js'
import { encodeBase64Url } from '../encoding/base64url.js'
import { encodeHex } from '../encoding/hex.js'
import { publicKeyOf } from '../recipient/x25519.js'
import { addressOf } from '../statement/signature.js'
import { derivePoolKey, deriveSecret } from './derive.js'
import { type KeySet, keySetDigest, parseKeySet } from './key-set.js'
import { deriveNodeKeys } from './node-keys.js'

const root = new Uint8Array(32).fill(1)
const scope = {
  root,
  chainId: 31337,
  pool: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
  policyDigest: `sha256:${'ab'.repeat(32)}`,
  epoch: 1,
} as const

describe('derivePoolKey', () => {
  test('gives a key pair whose id is the digest of the public key', () => {
    const key = derivePoolKey(scope)
    expect(publicKeyOf(key.privateKey)).toEqual(key.publicKey)
    expect(key.keyId).toBe(sha256Digest(key.publicKey))
  })

  test('stays as it is (fixed value: a change would lock out every sealed file)', () => {
    expect(encodeHex(derivePoolKey(scope).publicKey)).toBe(
      '0x35bf813287d86548ab0d21094f76c824e66cf162aa4689a6da109e007326d350',
    )
    expect(encodeHex(deriveSecret({ ...scope, purpose: 'storage' }))).toBe(
      '0x364443d9797ca3fb05c056637747bc788297c0b468a071abe503a8d431621d9b',
    )
  })

  test('separates root, chain, pool, policy and epoch', () => {
    const variants = [
      scope,
      { ...scope, root: new Uint8Array(32).fill(2) },
      { ...scope, chainId: 1 },
      { ...scope, pool: '0x5fbdb2315678afecb367f032d93f642f64180aa3' as const },
      { ...scope, policyDigest: `sha256:${'ac'.repeat(32)}` as const },
      { ...scope, epoch: 2 },
    ]
    expect(new Set(variants.map((variant) => derivePoolKey(variant).keyId)).size).toBe(variants.length)
  })

  test('does not depend on the letter case of the pool', () => {
    const pool = '0xE7F1725E7734CE288F8367E1BB143E90BB3F0512'
    expect(derivePoolKey({ ...scope, pool })).toEqual(derivePoolKey(scope))
  })

  test.each([
    ['a short root', { root: root.slice(1) }, 'KEY_INVALID'],
    ['chain 0', { chainId: 0 }, 'CONTEXT_INVALID'],
    ['a fractional epoch', { epoch: 1.5 }, 'CONTEXT_INVALID'],
    ['a negative epoch', { epoch: -1 }, 'CONTEXT_INVALID'],
    ['an epoch past 32 bits', { epoch: 2 ** 32 }, 'CONTEXT_INVALID'],
    ['no address', { pool: '0x00' as const }, 'ADDRESS_INVALID'],
    ['no digest', { policyDigest: 'sha256:00' as const }, 'DIGEST_INVALID'],
  ])('refuses %s', (_name, change, code) => {
    expect(() => derivePoolKey({ ...scope, ...change })).toThrow(expect.objectContaining({ code }))
  })
})

describe('deriveSecret', () => {
  test('separates purposes from each other and from pool keys, whatever the purpose is called', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9][a-z0-9./-]{0,20}$/), (purpose) => {
        const secret = deriveSecret({ ...scope, purpose })
        expect(secret.length).toBe(32)
        expect(secret).not.toEqual(deriveSecret({ ...scope, purpose: `${purpose}x` }))
        expect(secret).not.toEqual(derivePoolKey(scope).privateKey)
      }),
      { numRuns: 20 },
    )
  })
  test.each(['', 'Storage', 'a b', 'a"b', '/x'])('refuses the purpose %j', (purpose) => {
    expect(() => deriveSecret({ ...scope, purpose })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})

describe('deriveNodeKeys', () => {
  const seed = new Uint8Array(32).fill(7)
  test('gives three unrelated keys, the same for the same seed', () => {
    const keys = deriveNodeKeys(seed)
    expect(deriveNodeKeys(seed)).toEqual(keys)
    expect(new Set([keys.root, keys.statementKey, keys.hpke.privateKey].map(encodeHex)).size).toBe(3)
    expect(addressOf(keys.statementKey)).toMatch(/^0x[0-9a-f]{40}$/)
    expect(deriveNodeKeys(new Uint8Array(32).fill(8)).root).not.toEqual(keys.root)
  })
  test('stays as it is (fixed value)', () => {
    expect(addressOf(deriveNodeKeys(seed).statementKey)).toBe('0x147f69b88c48774c81c69c87dce783ca92537857')
  })
  test.each([31, 65])('refuses a seed of %i bytes', (length) => {
    expect(() => deriveNodeKeys(new Uint8Array(length).fill(7))).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
  })
  test.each([32, 64])('refuses a seed of %i zeros, wiped too early', (length) => {
    expect(() => deriveNodeKeys(new Uint8Array(length))).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID', place: 'seed' }),
    )
  })
})

describe('key set', () => {
  const keys = deriveNodeKeys(new Uint8Array(32).fill(7))
  const keySet: KeySet = {
    format: 'sealpool/key-set',
    version: 1,
    hpke: { kem: 'x25519', publicKey: encodeBase64Url(keys.hpke.publicKey) },
    statement: { scheme: 'eip712-secp256k1', address: addressOf(keys.statementKey) },
    config: `sha256:${'00'.repeat(32)}`,
  }
  test('has the digest of its canonical JSON', () => {
    expect(parseKeySet(JSON.parse(JSON.stringify(keySet)))).toEqual(keySet)
    expect(keySetDigest(keySet)).toBe(digestOf(JSON.parse(JSON.stringify(keySet))))
  })
  test.each([
    ['another format', { format: 'other' }],
    ['another version', { version: 2 }],
    ['an extra field', { extra: 1 }],
    ['no config', { config: undefined }],
    ['another kem', { hpke: { ...keySet.hpke, kem: 'p256' } }],
    ['a short key', { hpke: { kem: 'x25519', publicKey: 'AAAA' } }],
    ['a key of low order', { hpke: { kem: 'x25519', publicKey: encodeBase64Url(new Uint8Array(32)) } }],
    ['a key that is no text', { hpke: { kem: 'x25519', publicKey: 7 } }],
    ['an address with capitals', { statement: { ...keySet.statement, address: `0x${'AB'.repeat(20)}` } }],
    ['another scheme', { statement: { ...keySet.statement, scheme: 'ed25519' } }],
    ['a statement that is a list', { statement: [] }],
  ])('refuses %s', (_name, change) => {
    expect(() => parseKeySet({ ...keySet, ...change })).toThrow(
      expect.objectContaining({ code: 'KEY_SET_INVALID' }),
    )
  })
  test.each([null, 'x', 1, []])('refuses %j', (value) => {
    expect(() => parseKeySet(value)).toThrow(expect.objectContaining({ code: 'KEY_SET_INVALID' }))
  })
})

test('a root of zeros, wiped too early, makes no key', () => {
  const scope = {
    chainId: 1,
    pool: `0x${'22'.repeat(20)}`,
    policyDigest: `sha256:${'11'.repeat(32)}`,
    epoch: 1,
  } as const
  const refused = expect.objectContaining({ code: 'KEY_INVALID', place: 'root' })
  expect(() => derivePoolKey({ root: new Uint8Array(32), ...scope })).toThrow(refused)
  expect(() => deriveSecret({ root: new Uint8Array(32), purpose: 'a', ...scope })).toThrow(refused)
})
