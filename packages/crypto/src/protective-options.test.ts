import * as openpgp from 'openpgp'
import { expect, test } from 'vitest'
import * as main from './index.js'
import * as interop from './interop/index.js'
import * as recovery from './recovery/index.js'
import {
  codeOf,
  context,
  pool,
  poolKey,
  recipients,
  sealedOf,
  through,
  wallet,
} from './testing/sealed-fixture.js'

const bytes = (length: number, value = 5) => new Uint8Array(length).fill(value)
const address = `0x${'ab'.repeat(20)}` as const
const privateKey = bytes(32)
const signed = main.signStatement({
  statement: { type: 'example/claim', version: 1, body: {} },
  context: {
    chainId: 1,
    registry: address,
    pool: address,
    subject: `0x${'00'.repeat(32)}`,
    nonce: '1',
    facts: [],
  },
  privateKey,
})
const signer = main.addressOf(privateKey)

test.each<readonly [string, unknown]>([
  ['undefined', { signer: undefined }],
  ['null', { signer: null }],
  ['misspelt', { singer: signer }],
  ['a second name', { signer, signers: [signer] }],
  ['a map', new Map([['signer', signer]])],
  ['an array', [signer]],
  ['inherited', Object.create({ signer })],
  ['nothing', null],
])('a statement is not verified for a signer that is %s', (_, options) => {
  expect(main.verifyStatement(signed, options as never)).toBe(false)
  expect(main.verifyStatement(signed, { signer })).toBe(true)
  expect(main.verifyStatement(signed, {})).toBe(true)
})

const secret = bytes(32, 7)
const { keyId } = main.walletIdentityFromSecret({ secret, address })
const factor = { kind: 'secret', name: 'phone', secret: bytes(32, 8) } as const
const subject = { chainId: 1, address, keyId: keyId as main.Digest }
const backup = await recovery.createWalletKeyBackup({ ...subject, secret, factors: [factor] })
const open = (more: object) =>
  codeOf(() => recovery.openWalletKeyBackup(backup, { factor, ...more } as never))

test.each<readonly [string, object]>([
  ['undefined', { expect: undefined }],
  ['an undefined field', { expect: { address: undefined } }],
  ['misspelt', { expect: { adress: address } }],
  ['of another case', { expect: { chainid: 5 } }],
  ['an array', { expect: [] }],
  ['a map', { expect: new Map([['address', address]]) }],
  ['inherited', { expect: Object.create({ chainId: 5 }) }],
  ['a text', { expect: address }],
  ['under another name', { expected: { chainId: 5 } }],
])('a backup does not open for an expectation that is %s', async (_, more) => {
  expect(await open(more)).toBe('OPTION_INVALID')
})

test('a backup opens for what it is, and its secret must make its key where the KEM is given', async () => {
  expect(await open({ expect: { ...subject, address: address.toUpperCase().replace('X', 'x') } })).toBe(
    'accepted',
  )
  expect(await open({ expect: { chainId: 2 } })).toBe('CONTEXT_MISMATCH')
  expect(await open({ kem: main.x25519Kem })).toBe('accepted')
  const other = { ...main.x25519Kem, deriveKeyPair: () => main.deriveKeyPair(bytes(32)) }
  expect(await open({ kem: other })).toBe('BACKUP_REFUSED')
})

function outOfBounds(): Uint8Array {
  type Resizable = ArrayBuffer & { resize(length: number): void }
  const Resizing = ArrayBuffer as unknown as new (length: number, options: object) => Resizable
  const buffer = new Resizing(64, { maxByteLength: 64 })
  const view = new Uint8Array(buffer, 0, 64)
  buffer.resize(32)
  return view
}

test('a view that is out of its bounds is no empty byte string', async () => {
  expect(await codeOf(() => main.encodeHex(outOfBounds()))).toBe('OPTION_INVALID')
  expect(await codeOf(() => main.sealBytes(outOfBounds(), { recipients, context }))).toBe('OPTION_INVALID')
  const { readable, writable } = main.seal({ recipients, context })
  readable.pipeTo(new WritableStream()).catch(() => undefined)
  expect(await codeOf(() => writable.getWriter().write(outOfBounds()))).toBe('OPTION_INVALID')
})

test.each([Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY, '1000', null, {}])(
  'a limit of %s bytes is none, and is refused',
  async (maximumLength) => {
    const file = await interop.sealPasswordFile({
      openpgp: openpgp as never,
      plaintext: bytes(3),
      password: 'p',
    })
    const given = { openpgp: openpgp as never, file, password: 'p', maximumLength: maximumLength as number }
    expect(await codeOf(() => interop.openPasswordFile(given))).toBe('OPTION_INVALID')
  },
)

test('no size is told of what cannot be sealed', () => {
  const size = (length: number) => main.sealedSize(length, { recipients, context, chunkSize: 64 })
  expect(size(2 ** 46)).toBeGreaterThan(2 ** 46)
  for (const length of [2 ** 46 + 1, Number.MAX_SAFE_INTEGER]) {
    expect(() => size(length)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  }
})

test.each([64, 4_194_304, undefined])(
  'no size is told that is no exact number (chunks of %s)',
  (chunkSize) => {
    const size = (length: number) => main.sealedSize(length, { recipients, context, chunkSize })
    const header = size(0) - 16
    const step = chunkSize ?? 262_144
    // Whole chunks only, so that what is added is 16 bytes for each.
    const whole = Math.min(2 ** 40, Math.floor((Number.MAX_SAFE_INTEGER - header) / (step + 16)))
    expect(size(whole * step)).toBe(header + whole * (step + 16))
    for (const length of [(whole + 1) * step, Number.MAX_SAFE_INTEGER - 1000, Number.MAX_SAFE_INTEGER]) {
      expect(() => size(length)).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID', place: 'plaintextLength' }),
      )
    }
  },
)

test('a header is not rewritten for a change that is misspelt', async () => {
  const sealed = await sealedOf(10)
  const source = { size: sealed.length, read: (at: number, length: number) => sealed.slice(at, at + length) }
  const change = { source, identities: [main.hpkeIdentity(poolKey)] }
  const remove = [{ keyId: poolKey.keyId }]
  for (const wrong of [{ removed: remove }, { remove: undefined }, { expect: undefined }]) {
    expect(await codeOf(() => main.rewriteHeader({ ...change, ...wrong } as never))).toBe('OPTION_INVALID')
  }
  expect(await codeOf(() => main.rewriteHeader({ ...change, remove }))).toBe('accepted')
})

test('a register has no holes, and completeness is said by true alone', async () => {
  const { publicKey } = poolKey
  const { chainId, pool, policyDigest } = context
  const register = main.publishKeyEpochs({
    chainId,
    pool,
    policyDigest,
    epoch: 1,
    kem: main.x25519Kem,
    publicKey,
  })
  const { epochs } = register
  const holes = Object.assign(new Array(2), { 1: epochs[0] })
  expect(await codeOf(() => main.parseKeyEpochs({ ...register, epochs: holes }))).toBe('EPOCH_INVALID')
  const onChain = [{ epoch: 1, policyDigest, keyDigest: poolKey.keyId as main.Digest }]
  for (const options of [{ complete: 'true' }, { complete: undefined }, { completed: true }]) {
    expect(await codeOf(() => main.requireKeyEpochsOnChain(register, onChain, options as never))).toBe(
      'OPTION_INVALID',
    )
  }
  expect(await codeOf(() => main.requireKeyEpochsOnChain(register, onChain, { complete: true }))).toBe(
    'accepted',
  )
})

const file = await sealedOf(200)
const source = { size: file.length, read: (at: number, length: number) => file.slice(at, at + length) }
const recipient = main.hpkeRecipient(main.deriveKeyPair(bytes(32, 3)))
const opening: Readonly<Record<string, (options: main.OpenOptions) => Promise<unknown>>> = {
  openBytes: (options) => main.openBytes(file, options),
  openStream: (options) => through(main.openStream(options), file, 50),
  openRange: (options) => main.openRange({ ...options, source, start: 0, end: 9 }),
  sealedReader: (options) => main.sealedReader({ ...options, source }),
  addRecipient: (options) => main.addRecipient(file, { ...options, recipient }),
  removeRecipient: (options) => main.removeRecipient(file, { ...options, keyId: wallet.keyId }),
  rewriteHeader: (options) => main.rewriteHeader({ ...options, source, add: [recipient] }),
}
const lost: Readonly<Record<string, object>> = {
  undefined: { expect: undefined },
  null: { expect: null },
  misspelt: { expct: { epoch: 99 } },
  'of another name': { expected: { epoch: 99 } },
  inherited: { expect: Object.create({ epoch: 99 }) },
}
test.each(Object.keys(opening).flatMap((name) => Object.keys(lost).map((kind) => [name, kind] as const)))(
  '%s does not go on with an expectation that is %s',
  async (name, kind) => {
    const call = (more: object) => codeOf(() => opening[name]?.({ identities: [pool], ...more }))
    expect(await call({ ...lost[kind] })).toBe('OPTION_INVALID')
    expect(await call({ expect: { epoch: 99 } })).toBe('CONTEXT_MISMATCH')
    expect(await call({ expect: { epoch: 1 } })).toBe('accepted')
    expect(await call({})).toBe('accepted')
  },
)
