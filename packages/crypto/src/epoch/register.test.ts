import { describe, expect, test } from 'vitest'
import { sha256Digest } from '../digest/digest.js'
import { encodeBase64Url } from '../encoding/base64url.js'
import { concatBytes } from '../encoding/bytes.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { derivePoolKey } from '../pool-key/derive.js'
import { xwingKem } from '../post-quantum/xwing-kem.js'
import { hpkeIdentity, hpkeRecipient } from '../recipient/hpke-recipient.js'
import { publicKeyOf } from '../recipient/x25519.js'
import { openBytes } from '../sealed-file/open.js'
import { addRecipient } from '../sealed-file/rewrap.js'
import { sealBytes } from '../sealed-file/seal.js'
import { bytesOf, codeOf, context, repeatable, scope } from '../testing/sealed-fixture.js'
import { currentRecipient, poolIdentities, recipientOfEpoch } from './pool-keys.js'
import {
  currentKeyEpoch,
  type KeyEpochs,
  parseKeyEpochs,
  publishKeyEpochs,
  retireKeyEpoch,
  rotateKeyEpoch,
} from './register.js'

const root = new Uint8Array(32).fill(1)
const { chainId, pool, policyDigest } = scope
const epochOf = (epoch: number, kem = x25519Kem) => ({
  epoch,
  policyDigest,
  kem,
  publicKey: derivePoolKey({ root, ...scope, epoch, kem }).publicKey,
})
const first = publishKeyEpochs({ chainId, pool, ...epochOf(1) })
const second = rotateKeyEpoch(first, epochOf(2))
const retired = retireKeyEpoch(second, 1)
const kems = [xwingKem]
const sealTo = (register: KeyEpochs) =>
  sealBytes(bytesOf(9), {
    recipients: [currentRecipient(register, kems)],
    context: { ...context, epoch: currentKeyEpoch(register).epoch },
    random: repeatable(),
  })
const open = async (register: KeyEpochs, sealed: Uint8Array) =>
  (await openBytes(sealed, { identities: poolIdentities({ root, register, kems }) })).context.epoch

describe('a pool’s key epochs', () => {
  test('name the newest for new files; old files open until their epoch is retired', async () => {
    const [old, recent] = [await sealTo(first), await sealTo(second)]
    expect(await open(second, old)).toBe(1)
    expect(await open(second, recent)).toBe(2)
    expect(await open(retired, recent)).toBe(2)
    expect(await codeOf(() => open(retired, old))).toBe('EPOCH_RETIRED')
    expect(await codeOf(() => open(first, recent))).toBe('NO_MATCHING_IDENTITY')
  })

  test('a file that a retired and a readable epoch can open still opens', async () => {
    const recipients = [recipientOfEpoch(second, 1), recipientOfEpoch(second, 2)]
    const sealed = await sealBytes(bytesOf(9), { recipients, context, random: repeatable() })
    expect(await open(retired, sealed)).toBe(1)
  })

  test('a file of somebody else’s is not called retired', async () => {
    const other = hpkeRecipient({ publicKey: publicKeyOf(new Uint8Array(32).fill(9)) })
    const sealed = await sealBytes(bytesOf(9), { recipients: [other], context, random: repeatable() })
    expect(await codeOf(() => open(retired, sealed))).toBe('NO_MATCHING_IDENTITY')
  })

  test('nothing is sealed to a retired epoch', () => {
    expect(() => recipientOfEpoch(retired, 1)).toThrow(expect.objectContaining({ code: 'EPOCH_RETIRED' }))
    expect(() => recipientOfEpoch(retired, 3)).toThrow(expect.objectContaining({ code: 'EPOCH_INVALID' }))
  })

  test('move to X-Wing with a rotation, when the KEM is given', async () => {
    const third = rotateKeyEpoch(second, epochOf(3, xwingKem))
    expect(await open(third, await sealTo(third))).toBe(3)
    expect(await open(third, await sealTo(second))).toBe(2)
    for (const work of [() => currentRecipient(third), () => poolIdentities({ root, register: third })]) {
      expect(work).toThrow(expect.objectContaining({ code: 'EPOCH_INVALID', place: 'kems' }))
    }
  })

  test('open no file of another policy, pool or chain, whoever wrapped it for their key', async () => {
    const to = hpkeRecipient(derivePoolKey({ root, ...scope, epoch: 2 }))
    for (const change of [
      { policyDigest: context.commitment },
      { pool: `0x${'01'.repeat(20)}` as const },
      { chainId: 1 },
    ]) {
      const sealed = await sealBytes(bytesOf(9), {
        recipients: [to],
        context: { ...context, ...change },
        random: repeatable(),
      })
      expect(await codeOf(() => open(second, sealed))).toBe('CONTEXT_MISMATCH')
    }
    const moved = await sealBytes(bytesOf(9), {
      recipients: [to],
      context: { ...context, epoch: 1 },
      random: repeatable(),
    })
    expect(await open(second, moved)).toBe(1)
  })

  test('take no file of another policy, pool or chain, neither at sealing nor later', async () => {
    const random = repeatable()
    const identities = poolIdentities({ root, register: second })
    for (const [change, answer] of [
      [{}, 'accepted'],
      [{ epoch: 7 }, 'accepted'],
      [{ policyDigest: context.commitment }, 'CONTEXT_MISMATCH'],
      [{ pool: `0x${'01'.repeat(20)}` as const }, 'CONTEXT_MISMATCH'],
      [{ chainId: 1 }, 'CONTEXT_MISMATCH'],
    ] as const) {
      const place = { ...context, ...change }
      const whole = currentRecipient(second)
      const bare = recipientOfEpoch(second, 1)
      const seal = (to: typeof whole) => sealBytes(bytesOf(9), { recipients: [to], context: place, random })
      expect(await codeOf(() => seal(whole))).toBe(answer)
      expect(await codeOf(() => seal(bare))).toBe(answer)
      const other = hpkeIdentity({ privateKey: root })
      const file = await sealBytes(bytesOf(9), {
        recipients: [hpkeRecipient({ publicKey: publicKeyOf(root) })],
        context: place,
        random,
      })
      const add = (to: typeof whole) =>
        codeOf(() => addRecipient(file, { identities: [other, ...identities], recipient: to, random }))
      expect(await add(whole)).toBe(answer)
      expect(await add(bare)).toBe(answer)
    }
  })

  test('have no key of low order, of either KEM', () => {
    const low = new Uint8Array(32)
    const entry = (publicKey: Uint8Array, kem: string) => ({
      ...first,
      epochs: [
        {
          ...currentKeyEpoch(first),
          kem,
          publicKey: encodeBase64Url(publicKey),
          keyId: sha256Digest(publicKey),
        },
      ],
    })
    const honest = derivePoolKey({ root, ...scope, epoch: 1, kem: xwingKem }).publicKey
    expect(parseKeyEpochs(entry(honest, 'xwing')).epochs).toHaveLength(1)
    for (const value of [entry(low, 'x25519'), entry(concatBytes(honest.slice(0, -32), low), 'xwing')]) {
      expect(() => parseKeyEpochs(value)).toThrow(
        expect.objectContaining({ code: 'EPOCH_INVALID', place: '$.epochs[0].publicKey' }),
      )
    }
  })

  test('are refused when the root does not derive them', () => {
    for (const change of [{ root: new Uint8Array(32).fill(99) }, { register: { ...second, chainId: 9 } }]) {
      expect(() => poolIdentities({ root, register: second, ...change })).toThrow(
        expect.objectContaining({ code: 'EPOCH_INVALID', place: 'root' }),
      )
    }
  })

  test('survive JSON', () => {
    expect(parseKeyEpochs(JSON.parse(JSON.stringify(retired)))).toEqual(retired)
  })

  test.each<readonly [string, () => unknown]>([
    ['rotating to the same number', () => rotateKeyEpoch(first, epochOf(1))],
    ['rotating backwards', () => rotateKeyEpoch(second, epochOf(0))],
    ['a key that was used before', () => rotateKeyEpoch(first, { ...epochOf(1), epoch: 2 })],
    ['retiring the current epoch', () => retireKeyEpoch(second, 2)],
    ['retiring twice', () => retireKeyEpoch(retired, 1)],
    ['retiring what is not there', () => retireKeyEpoch(second, 7)],
    ['epoch 2^32', () => rotateKeyEpoch(first, { ...epochOf(2), epoch: 2 ** 32 })],
    [
      'a policy digest in capitals',
      () => rotateKeyEpoch(first, { ...epochOf(2), policyDigest: `sha256:${'AB'.repeat(32)}` }),
    ],
    ['a pool that is no address', () => publishKeyEpochs({ chainId, pool: '0x', ...epochOf(1) })],
  ])('%s is refused', (_name, work) => {
    expect(work).toThrow(expect.objectContaining({ code: 'EPOCH_INVALID' }))
  })

  const change = (index: number, fields: object) => ({
    ...second,
    epochs: second.epochs.map((each, at) => (at === index ? { ...each, ...fields } : each)),
  })
  test.each<readonly [string, unknown]>([
    ['null', null],
    ['another format', { ...second, format: 'x' }],
    ['another version', { ...second, version: 2 }],
    ['a field too many', { ...second, more: 1 }],
    ['no epochs', { ...second, epochs: [] }],
    ['chain 0', { ...second, chainId: 0 }],
    ['a pool in capitals', { ...second, pool: pool.toUpperCase().replace('X', 'x') }],
    ['two current epochs', change(0, { state: 'current' })],
    ['no current epoch', change(1, { state: 'readable' })],
    ['an unknown state', change(0, { state: 'open' })],
    ['an unknown KEM', change(0, { kem: 'x448' })],
    ['a key of another length', change(0, { publicKey: 'AAAA' })],
    ['a key id that is not the key’s', change(0, { keyId: `sha256:${'00'.repeat(32)}` })],
    ['an epoch that is a field short', { ...second, epochs: [{ epoch: 1 }] }],
    ['an epoch that is text', { ...second, epochs: ['1'] }],
  ])('%s is no register', (_name, value) => {
    expect(() => parseKeyEpochs(value)).toThrow(expect.objectContaining({ code: 'EPOCH_INVALID' }))
  })
})
