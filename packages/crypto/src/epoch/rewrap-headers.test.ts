import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Digest, sha256Digest } from '../digest/digest.js'
import { concatBytes } from '../encoding/bytes.js'
import type { Hex } from '../encoding/hex.js'
import { CryptoError } from '../errors.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { platformRandom } from '../platform.js'
import { derivePoolKey } from '../pool-key/derive.js'
import { hpkeIdentity, hpkeRecipient } from '../recipient/hpke-recipient.js'
import { parseHeader } from '../sealed-file/header.js'
import { openBytes } from '../sealed-file/open.js'
import { sealBytes } from '../sealed-file/seal.js'
import { runSession, testMembers, testSession } from '../testing/committee.js'
import { headerFiles } from '../testing/header-files.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  poolKey,
  recipients,
  repeatable,
  scope,
  stranger,
  wallet,
} from '../testing/sealed-fixture.js'
import { committeeIdentity, committeeRecipient, decryptPartially } from '../threshold/index.js'
import { currentRecipient, recipientOfEpoch } from './pool-keys.js'
import { publishKeyEpochs, rotateKeyEpoch } from './register.js'
import { type HeaderStore, type RewrapOptions, rewrapHeader, rewrapHeaders } from './rewrap-headers.js'

const nextKey = derivePoolKey({ root: new Uint8Array(32).fill(1), ...scope, epoch: 2 })
const next = hpkeIdentity(nextKey)
const rewrapping: RewrapOptions = {
  identities: [pool],
  from: poolKey.keyId,
  to: hpkeRecipient(nextKey),
  expect: scope,
  random: platformRandom,
}
const seal = (seed: number, change: object = {}) =>
  sealBytes(bytesOf(seed % 200), {
    recipients,
    context,
    chunkSize: 64,
    random: repeatable(seed + 1),
    ...change,
  })
const split = (sealed: Uint8Array) => {
  const { payloadOffset } = parseHeader(sealed)
  return { header: sealed.slice(0, payloadOffset), payload: sealed.slice(payloadOffset) }
}
const memory = (files: Map<string, Uint8Array>): HeaderStore => ({
  list: () => [...files.keys()],
  async read(name) {
    return files.get(name) ?? new Uint8Array()
  },
  async replace(name, header) {
    files.set(name, header)
  },
})

describe('rewrapHeader', () => {
  test.each<readonly [string, object]>([
    ['expect', { expect: undefined }],
    ['expect', { expect: null }],
    ['expect', { expect: {} }],
    ['expect', { expect: { ...scope, policyDigest: undefined } }],
    ['expect', { expect: { chainId: scope.chainId, pool: scope.pool } }],
    ['expect', { expect: new Map(Object.entries(scope)) }],
    ['to', { to: undefined }],
    ['to', { to: null }],
    ['identities', { identities: undefined }],
  ])('refuses wrong or missing %s at once, for one header and for a store, unread', async (place, change) => {
    const wrong = { ...rewrapping, ...change } as RewrapOptions
    const { header } = split(await seal(1))
    const store = { ...memory(new Map([['file', header]])), read: () => expect.unreachable() }
    const refused = { code: 'OPTION_INVALID', place: expect.stringMatching(new RegExp(`^${place}`)) }
    await expect(rewrapHeader(header, wrong)).rejects.toMatchObject(refused)
    await expect(rewrapHeaders({ ...wrong, store })).rejects.toMatchObject(refused)
  })

  test('lets the new key in and the old one out, keeps the others, and changes no byte of the payload', async () => {
    const sealed = await seal(150)
    const { header, payload } = split(sealed)
    const renewed = await rewrapHeader(header, rewrapping)
    const file = concatBytes(renewed ?? new Uint8Array(), payload)
    for (const identity of [next, wallet]) {
      const opened = await openBytes(file, { identities: [identity] })
      expect(opened).toMatchObject({ plaintext: bytesOf(150), context })
    }
    expect(await codeOf(() => openBytes(file, { identities: [pool] }))).toBe('NO_MATCHING_IDENTITY')
  })

  test('leaves alone what stands at the new epoch, and finishes what has both keys', async () => {
    const { header } = split(await seal(1, { recipients: [hpkeRecipient(nextKey)] }))
    expect(await rewrapHeader(header, rewrapping)).toBeUndefined()
    const both = split(await seal(1, { recipients: [...recipients, hpkeRecipient(nextKey)] })).header
    const renewed = await rewrapHeader(both, rewrapping)
    expect(parseHeader(renewed ?? both).recipients.map((stanza) => stanza['keyId'])).toEqual([
      wallet.keyId,
      nextKey.keyId,
    ])
  })

  test('does not take a header of another context, or an altered one, for one that is done', async () => {
    const { header } = split(await seal(1, { recipients: [hpkeRecipient(nextKey)] }))
    for (const expect_ of [
      { ...scope, chainId: 5 },
      { ...scope, policyDigest: context.commitment },
    ])
      expect(await codeOf(() => rewrapHeader(header, { ...rewrapping, expect: expect_ }))).toBe(
        'CONTEXT_MISMATCH',
      )
    const altered = header.map((byte, index) => (index === header.length - 1 ? byte ^ 1 : byte))
    const both = { ...rewrapping, identities: [pool, next] }
    expect(await codeOf(() => rewrapHeader(altered, both))).toBe('HEADER_REFUSED')
    expect(await rewrapHeader(header, both)).toBeUndefined()
    // The old key cannot tell, and nothing says that it could.
    expect(await rewrapHeader(altered, rewrapping)).toBeUndefined()
  })

  test('moves files from a pool’s key to a committee, and back', async () => {
    const members = testMembers('rewrap', 2)
    const { key, shares } = runSession(
      members,
      testSession(members, 2, { chainId: scope.chainId, pool: scope.pool }),
    )
    const to = committeeRecipient({ key })
    const committee = committeeIdentity({
      key,
      collect: (request) =>
        shares.map((share) => decryptPartially({ share, ...request, random: platformRandom })),
    })
    const { header, payload } = split(await seal(150))
    const moving = { ...rewrapping, to, fromType: 'hpke' }
    const moved = (await rewrapHeader(header, moving)) ?? header
    const file = concatBytes(moved, payload)
    expect((await openBytes(file, { identities: [committee] })).plaintext).toEqual(bytesOf(150))
    expect(await codeOf(() => openBytes(file, { identities: [pool] }))).toBe('NO_MATCHING_IDENTITY')
    expect(await rewrapHeader(moved, moving)).toBeUndefined()
    const returning = { identities: [committee], from: to.keyId, fromType: 'threshold' }
    const back = await rewrapHeader(moved, { ...rewrapping, ...returning })
    expect((await openBytes(concatBytes(back ?? moved, payload), { identities: [next] })).context).toEqual(
      context,
    )
    const away = testSession(members, 2)
    const elsewhere = committeeRecipient({ key: runSession(members, away).key })
    expect(await codeOf(() => rewrapHeader(header, { ...moving, to: elsewhere }))).toBe('OPTION_INVALID')
  })

  test.each<readonly [string, Partial<RewrapOptions>, string]>([
    [
      'another policy',
      { expect: { ...scope, policyDigest: `sha256:${'00'.repeat(32)}` } },
      'CONTEXT_MISMATCH',
    ],
    ['another pool', { expect: { ...scope, pool: `0x${'00'.repeat(20)}` } }, 'CONTEXT_MISMATCH'],
    ['another chain', { expect: { ...scope, chainId: 5 } }, 'CONTEXT_MISMATCH'],
    ['a stranger', { identities: [stranger] }, 'NO_MATCHING_IDENTITY'],
    ['an old key that it does not have', { from: `sha256:${'00'.repeat(32)}` }, 'RECIPIENT_INVALID'],
    ['the old key as the new one', { from: nextKey.keyId }, 'OPTION_INVALID'],
  ])('refuses %s', async (_name, change, code) => {
    const { header } = split(await seal(1))
    expect(await codeOf(() => rewrapHeader(header, { ...rewrapping, ...change }))).toBe(code)
  })

  test('refuses a header that someone altered', async () => {
    const { header } = split(await seal(1))
    const altered = header.map((byte, index) => (index === header.length - 1 ? byte ^ 1 : byte))
    expect(await codeOf(() => rewrapHeader(altered, rewrapping))).toBe('HEADER_REFUSED')
  })
})

describe('rewrapHeaders', () => {
  test('goes on past files that cannot be re-wrapped, and names them', async () => {
    const files = new Map<string, Uint8Array>()
    for (let index = 0; index < 20; index++) files.set(`good ${index}`, split(await seal(index)).header)
    files.set('noise', new Uint8Array(100))
    files.set('foreign', split(await seal(5, { recipients: [recipients[1]] })).header)
    files.set(
      'other policy',
      split(await seal(6, { context: { ...context, policyDigest: `sha256:${'00'.repeat(32)}` } })).header,
    )
    files.set('done', split(await seal(7, { recipients: [hpkeRecipient(nextKey)] })).header)
    const told: string[] = []
    const report = await rewrapHeaders({
      ...rewrapping,
      store: memory(files),
      onHeader: (name) => told.push(name),
    })
    expect(report.rewrapped).toBe(20)
    expect(told.length).toBe(20)
    expect(report.unchanged).toBe(1)
    // Only the old key is here, which says nothing about headers of the new one.
    expect(report.unverified).toEqual(['done'])
    expect([...report.failed].sort((one, two) => (one.name < two.name ? -1 : 1))).toEqual([
      { name: 'foreign', code: 'RECIPIENT_INVALID' },
      { name: 'noise', code: 'NOT_SEALED_FILE' },
      { name: 'other policy', code: 'CONTEXT_MISMATCH' },
    ])
    const again = await rewrapHeaders({ ...rewrapping, store: memory(files) })
    expect(again).toMatchObject({ rewrapped: 0, unchanged: 21 })
  })

  test('reports a store that fails for one file, and works on no more headers at once than told', async () => {
    const files = new Map<string, Uint8Array>()
    for (let index = 0; index < 12; index++) files.set(`${index}`, split(await seal(index)).header)
    const store = memory(files)
    let running = 0
    let most = 0
    const report = await rewrapHeaders({
      ...rewrapping,
      atOnce: 3,
      store: {
        ...store,
        async read(name) {
          running += 1
          most = Math.max(most, running)
          await new Promise((resolve) => setTimeout(resolve, 1))
          return store.read(name)
        },
        async replace(name, header, previous) {
          running -= 1
          if (name === '5') throw new Error('disk full')
          return store.replace(name, header, previous)
        },
      },
    })
    expect(report).toEqual({
      rewrapped: 11,
      unchanged: 0,
      unverified: [],
      failed: [{ name: '5', code: 'SOURCE_FAILED' }],
    })
    expect(most).toBeLessThanOrEqual(3)
    expect(most).toBeGreaterThan(1)
  })

  test.each([1, 256])('works on %s headers at once', async (atOnce) => {
    const work = () => rewrapHeaders({ ...rewrapping, store: memory(new Map()), atOnce })
    expect(await codeOf(work)).toBe('accepted')
  })

  test.each([0, 257, 1.5])('works on no %s headers at once', async (atOnce) => {
    const work = () => rewrapHeaders({ ...rewrapping, store: memory(new Map()), atOnce })
    expect(await codeOf(work)).toBe('OPTION_INVALID')
  })

  test('refuses the old key as the new one before it begins', async () => {
    const work = () => rewrapHeaders({ ...rewrapping, store: memory(new Map()), from: nextKey.keyId })
    expect(await codeOf(work)).toBe('OPTION_INVALID')
  })
})

describe('a run that is killed', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sealpool-rewrap-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  test('is taken up again: every file ends at the new epoch with its payload as it was', async () => {
    const count = 400
    const store = headerFiles(folder)
    const payloads = new Map<string, { payload: Uint8Array; digest: Digest; length: number }>()
    for (let index = 0; index < count; index++) {
      const name = `file-${index}`
      const { header, payload } = split(await seal(index))
      store.write(name, header)
      payloads.set(name, { payload, digest: sha256Digest(payload), length: index % 200 })
    }
    let killed = 0
    for (const after of [40, 60, 80]) killed += await killAfter(folder, after)
    expect(killed).toBeGreaterThanOrEqual(180)
    expect(killed).toBeLessThan(count)

    const report = await rewrapHeaders({ ...rewrapping, store })
    expect(report.failed).toEqual([])
    expect(report.rewrapped + report.unchanged).toBe(count)
    expect(report.unchanged).toBeGreaterThanOrEqual(killed)
    expect(report.rewrapped).toBeGreaterThan(0)
    for (const [name, { payload, digest, length }] of payloads) {
      const file = concatBytes(await store.read(name), payload)
      expect(sha256Digest(split(file).payload)).toBe(digest)
      expect((await openBytes(file, { identities: [next] })).plaintext).toEqual(bytesOf(length))
      expect(await codeOf(() => openBytes(file, { identities: [pool] }))).toBe('NO_MATCHING_IDENTITY')
    }
  })
})

/** Runs the child on a folder and kills it outright once it has told of some headers; gives how many it told of. */
function killAfter(folder: string, headers: number): Promise<number> {
  const script = fileURLToPath(new URL('../testing/rewrap-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@sealpool/source', script, folder])
  let told = 0
  let complaint = ''
  child.stdout.on('data', (data: Buffer) => {
    told += data.toString().split('.').length - 1
    if (told >= headers) child.kill('SIGKILL')
  })
  child.stderr.on('data', (data: Buffer) => {
    complaint += data.toString()
  })
  return new Promise((resolve, reject) => {
    child.on('exit', (_code, signal) =>
      signal === 'SIGKILL' ? resolve(told) : reject(new Error(`the child was not killed: ${complaint}`)),
    )
  })
}

describe('a key of another policy', () => {
  const policyDigest = sha256Digest(new Uint8Array([7]))
  const other = derivePoolKey({ root: new Uint8Array(32).fill(1), ...scope, policyDigest, epoch: 2 })
  const epochOf = (key: typeof other, policy: Digest, epoch: number) => ({
    ...key,
    kem: x25519Kem,
    policyDigest: policy,
    epoch,
  })
  const first = publishKeyEpochs({ ...scope, ...epochOf(poolKey, scope.policyDigest, 1) })
  const foreign = rotateKeyEpoch(first, epochOf(other, policyDigest, 2))
  const honest = rotateKeyEpoch(first, epochOf(nextKey, scope.policyDigest, 2))

  test('gets no file, when it says of which policy it is', async () => {
    const sealed = await seal(1)
    for (const to of [currentRecipient(foreign), recipientOfEpoch(foreign, 2)]) {
      expect(await codeOf(() => rewrapHeader(sealed, { ...rewrapping, to }))).toBe('OPTION_INVALID')
      const store = memory(new Map([['one', sealed]]))
      expect(await codeOf(() => rewrapHeaders({ ...rewrapping, to, store }))).toBe('OPTION_INVALID')
    }
    const elsewhere = { ...rewrapping.expect, pool: `0x${'01'.repeat(20)}` as const }
    const to = recipientOfEpoch(honest, 2)
    expect(await codeOf(() => rewrapHeader(sealed, { ...rewrapping, to, expect: elsewhere }))).toBe(
      'OPTION_INVALID',
    )
    expect(
      await codeOf(() => rewrapHeader(sealed, { ...rewrapping, to, expect: { ...scope, chainId: 1 } })),
    ).toBe('OPTION_INVALID')
    const capitals = { ...scope, pool: scope.pool.toUpperCase().replace('0X', '0x') as Hex }
    expect(await rewrapHeader(sealed, { ...rewrapping, to, expect: capitals })).toBeInstanceOf(Uint8Array)
  })
})

test('an identity out of reach fails its file and not the run', async () => {
  const files = new Map([
    ['one', split(await seal(1)).header],
    ['two', split(await seal(2)).header],
  ])
  let asked = 0
  const away = {
    type: 'x',
    keyId: 'x',
    unwrap: async () => (asked++ === 0 ? Promise.reject(new Error('away')) : undefined),
  }
  const report = await rewrapHeaders({ ...rewrapping, identities: [away], store: memory(files), atOnce: 1 })
  expect(report).toEqual({
    rewrapped: 0,
    unchanged: 0,
    unverified: [],
    failed: [
      { name: 'one', code: 'SOURCE_FAILED' },
      { name: 'two', code: 'NO_MATCHING_IDENTITY' },
    ],
  })
})

test('a store that refuses with a typed error is reported with its code', async () => {
  const refusing = {
    ...memory(new Map([['one', new Uint8Array()]])),
    read: () => Promise.reject(new CryptoError('AGE_REFUSED', 'x', 'x')),
  }
  const { failed } = await rewrapHeaders({ ...rewrapping, store: refusing })
  expect(failed).toEqual([{ name: 'one', code: 'AGE_REFUSED' }])
})

test('a misspelt or undefined setting fails the run at once, and no file', async () => {
  const files = new Map([['one', split(await seal(1)).header]])
  const { expect: wanted } = rewrapping
  for (const wrong of [
    { expect: { ...wanted, polcy: 1 } },
    { expect: { ...wanted, epoch: undefined } },
    { fromtype: 'hpke' },
  ]) {
    const options = { ...rewrapping, ...wrong, store: memory(files) } as never
    expect(await codeOf(() => rewrapHeaders(options))).toBe('OPTION_INVALID')
  }
})
