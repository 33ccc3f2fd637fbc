import { createCipheriv, scryptSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { canonicalBytes } from '../canonical-json/canonical-bytes.js'
import { decodeBase64Url, encodeBase64Url } from '../encoding/base64url.js'
import { x25519Kem } from '../hpke/x25519-kem.js'
import { platformRandom } from '../platform.js'
import { xwingKem } from '../post-quantum/xwing-kem.js'
import { walletIdentityFromSecret } from '../recipient/wallet-key.js'
import { bytesOf, codeOf, repeatable } from '../testing/sealed-fixture.js'
import {
  createWalletKeyBackup,
  openWalletKeyBackup,
  parseWalletKeyBackup,
  type WrappedSecret,
} from './backup.js'
import { factorKey, type RecoveryFactor } from './factor.js'
import { drawRecoveryCode, readRecoveryCode } from './recovery-code.js'

const address = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'
const secret = new Uint8Array(32).fill(8)
const keyId = walletIdentityFromSecret({ secret, address }).keyId as `sha256:${string}`
const code = drawRecoveryCode(repeatable())
const device = { kind: 'secret', name: 'passkey-1', secret: new Uint8Array(32).fill(5) } as const
const factors: readonly RecoveryFactor[] = [
  { kind: 'recovery-code', code },
  device,
  { kind: 'passphrase', passphrase: 'correct horse battery' },
]
const zeros = new Uint8Array(32)
const subject = { chainId: 1, address, keyId } as const
const making = { ...subject, secret, random: repeatable(3) }
const backup = await createWalletKeyBackup({ ...making, factors })

describe('a backup', () => {
  test.each(factors.map((factor) => [factor.kind, factor] as const))(
    'opens with its %s',
    async (_, factor) => {
      const read = JSON.parse(JSON.stringify(backup)) as unknown
      expect(await openWalletKeyBackup(read, { factor, expect: subject })).toEqual(secret)
    },
  )

  test('is not made of a secret that makes another key', async () => {
    const kem = xwingKem
    const big = walletIdentityFromSecret({ secret, address, kem }).keyId as `sha256:${string}`
    const some = factors.slice(0, 1)
    const make = (change: object) =>
      codeOf(() => createWalletKeyBackup({ ...making, factors: some, ...change }))
    expect(await make({ secret: new Uint8Array(32).fill(9) })).toBe('OPTION_INVALID')
    expect(await make({ address: `0x${'01'.repeat(20)}` })).toBe('OPTION_INVALID')
    expect(await make({ keyId: big })).toBe('OPTION_INVALID')
    expect(await make({ keyId: big, kem })).toBe('accepted')
  })

  test.each<readonly [string, object, readonly string[]]>([
    ['that is made', {}, ['secret', 'device']],
    ['of too many factors', { factors: new Array(17).fill(device) }, ['secret', 'device']],
    ['whose second factor is none', { factors: [device, null] }, ['secret', 'device']],
    ['of factors that are no list', { factors: null }, ['secret']],
    ['of another key', { keyId: `sha256:${'0'.repeat(64)}` }, ['secret', 'device']],
  ])('%s leaves no copy of what is secret', async (_, change, wanted) => {
    const wiped = new Set<string>()
    const names = new Map([
      [String(secret), 'secret'],
      [String(device.secret), 'device'],
    ])
    const { fill } = Uint8Array.prototype
    const spy = vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (
      this: Uint8Array,
      ...how
    ) {
      const name = names.get(String(this))
      if (name !== undefined && how[0] === 0) wiped.add(name)
      return fill.apply(this, how)
    })
    await codeOf(() => createWalletKeyBackup({ ...making, factors: [device], ...change }))
    spy.mockRestore()
    expect([...wiped].sort()).toEqual([...wanted].sort())
    expect(secret).toEqual(new Uint8Array(32).fill(8))
  })

  test('has at most two passphrases, which take a second each to try', async () => {
    const passphrase = { kind: 'passphrase', passphrase: 'correct horse battery' } as const
    const three = [passphrase, passphrase, passphrase]
    expect(await codeOf(() => createWalletKeyBackup({ ...making, factors: three }))).toBe('OPTION_INVALID')
    const [, , wrap] = backup.factors
    const hostile = { ...backup, factors: [...backup.factors, wrap, wrap] }
    expect(await codeOf(() => openWalletKeyBackup(hostile, { factor: passphrase }))).toBe('BACKUP_INVALID')
    expect(await codeOf(() => openWalletKeyBackup(hostile, { factor: device }))).toBe('accepted')
  })

  test('says nothing of the secret or the factors', () => {
    const text = JSON.stringify(backup)
    for (const hidden of [code, 'horse', Buffer.from(secret).toString('base64url')]) {
      expect(text).not.toContain(hidden)
    }
  })

  test.each<readonly [string, RecoveryFactor]>([
    ['another code', { kind: 'recovery-code', code: drawRecoveryCode(repeatable(9)) }],
    ['another device', { ...device, name: 'passkey-2' } as RecoveryFactor],
    ['the device’s name with another secret', { ...device, secret: new Uint8Array(32) } as RecoveryFactor],
    ['another passphrase', { kind: 'passphrase', passphrase: 'correct horse batterz' }],
  ])('does not open with %s', async (_name, factor) => {
    expect(await codeOf(() => openWalletKeyBackup(backup, { factor }))).toBe('BACKUP_REFUSED')
  })

  test('does not open when whose key it is, or how it is wrapped, was changed', async () => {
    const [wrap] = backup.factors
    const changes: readonly object[] = [
      { chainId: 2 },
      { address: `0x${'01'.repeat(20)}` },
      { keyId: `sha256:${'00'.repeat(32)}` },
      { factors: [{ ...wrap, salt: 'A'.repeat(43) }] },
      { factors: [{ ...wrap, wrapped: 'A'.repeat(64) }] },
    ]
    for (const change of changes) {
      const changed = { ...backup, ...change }
      expect(
        await codeOf(() => openWalletKeyBackup(changed, { factor: { kind: 'recovery-code', code } })),
      ).toBe('BACKUP_REFUSED')
    }
  })

  test('of another wallet than expected is refused before any work', async () => {
    const [factor] = factors
    if (factor === undefined) throw new Error('no factor')
    for (const expected of [
      { chainId: 2 },
      { address: `0x${'01'.repeat(20)}` },
      { keyId: `sha256:${'00'.repeat(32)}` },
    ]) {
      const open = () => openWalletKeyBackup(backup, { factor, expect: expected as Partial<typeof subject> })
      expect(await codeOf(open)).toBe('CONTEXT_MISMATCH')
    }
  })

  const [codeWrap, deviceWrap, passWrap] = backup.factors
  test.each<readonly [string, unknown]>([
    ['null', null],
    ['text', 'backup'],
    ['another format', { ...backup, format: 'x' }],
    ['another version', { ...backup, version: 2 }],
    ['a field too many', { ...backup, more: 1 }],
    ['no factors', { ...backup, factors: [] }],
    ['seventeen factors', { ...backup, factors: Array.from({ length: 17 }, () => codeWrap) }],
    ['an address in capitals', { ...backup, address: address.toUpperCase().replace('X', 'x') }],
    ['no address', { ...backup, address: '0x' }],
    ['chain 0', { ...backup, chainId: 0 }],
    ['a factor of another kind', { ...backup, factors: [{ ...codeWrap, kind: 'constructor' }] }],
    ['a factor that is null', { ...backup, factors: [null] }],
    ['a short salt', { ...backup, factors: [{ ...codeWrap, salt: 'AAAA' }] }],
    ['a short wrap', { ...backup, factors: [{ ...codeWrap, wrapped: 'AAAA' }] }],
    ['a device without a name', { ...backup, factors: [{ ...deviceWrap, name: 7 }] }],
    ['another KDF', { ...backup, factors: [{ ...passWrap, kdf: 'pbkdf2' }] }],
    ['work of 19, half a gigabyte', { ...backup, factors: [{ ...passWrap, work: 19 }] }],
    ['work of 14, too cheap to guess', { ...backup, factors: [{ ...passWrap, work: 14 }] }],
    ['work as text', { ...backup, factors: [{ ...passWrap, work: '17' }] }],
  ])('that is %s is refused', async (_name, value) => {
    expect(await codeOf(() => parseWalletKeyBackup(value))).toBe('BACKUP_INVALID')
  })

  test.each<readonly [string, object, string]>([
    ['no factors', { factors: [] }, 'OPTION_INVALID'],
    [
      'a short passphrase',
      { factors: [{ kind: 'passphrase', passphrase: 'elevenchars' }] },
      'OPTION_INVALID',
    ],
    ['an unknown factor', { factors: [{ kind: 'fingerprint' }] }, 'OPTION_INVALID'],
    ['a device without a name', { factors: [{ ...device, name: '' }] }, 'OPTION_INVALID'],
    ['a device secret of 31 bytes', { factors: [{ ...device, secret: bytesOf(31) }] }, 'KEY_INVALID'],
    ['a device secret of zeros', { factors: [device, { ...device, secret: zeros }] }, 'KEY_INVALID'],
    ['a mistyped code', { factors: [{ kind: 'recovery-code', code: 'AAAA' }] }, 'RECOVERY_CODE_INVALID'],
    ['a secret of 31 bytes', { factors, secret: bytesOf(31) }, 'KEY_INVALID'],
    ['a secret of zeros', { factors, secret: zeros }, 'KEY_INVALID'],
    ['no chain', { factors, chainId: 0 }, 'OPTION_INVALID'],
    ['no address', { factors, address: '0x' }, 'OPTION_INVALID'],
  ])('with %s is not made', async (_name, change, expected) => {
    const options = { ...making, factors, ...change } as Parameters<typeof createWalletKeyBackup>[0]
    expect(await codeOf(() => createWalletKeyBackup(options))).toBe(expected)
  })

  test('that holds zeros is opened only by who does not ask whose key they make', async () => {
    const { wrapped: _, ...label } = Object(backup.factors[1]) as WrappedSecret
    const key = await factorKey(device, decodeBase64Url(label.salt), 0)
    const cipher = createCipheriv('aes-256-gcm', key, new Uint8Array(12))
    const head = { format: 'sealpool/wallet-key-backup', version: 1, ...subject, factor: label }
    cipher.setAAD(canonicalBytes(head))
    const sealed = Buffer.concat([cipher.update(zeros), cipher.final(), cipher.getAuthTag()])
    const old = { ...backup, factors: [{ ...label, wrapped: encodeBase64Url(new Uint8Array(sealed)) }] }
    expect(await openWalletKeyBackup(old, { factor: device })).toEqual(zeros)
    expect(await codeOf(() => openWalletKeyBackup(old, { factor: device, kem: x25519Kem }))).toBe(
      'KEY_INVALID',
    )
  })

  test('stretches a passphrase as OpenSSL’s scrypt does, in one Unicode form', async () => {
    const salt = new Uint8Array(32).fill(2)
    const factor = { kind: 'passphrase', passphrase: 'ﬁne caf\u0065\u0301 words' } as const
    const expected = scryptSync('fine caf\u00e9 words', salt, 32, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 })
    expect(await factorKey(factor, salt, 15)).toEqual(new Uint8Array(expected))
  })
})

describe('a recovery code', () => {
  test('is nine groups of four and read back as people type it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (entropy) => {
        const text = drawRecoveryCode(() => entropy)
        expect(text).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-HJKMNP-TV-Z]{4}$/)
        const typed = text.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l').replaceAll('-', ' ')
        expect(readRecoveryCode(typed)).toEqual(entropy)
      }),
    )
  })

  test('with one character changed or two neighbours swapped is refused', async () => {
    const plain = code.replaceAll('-', '')
    for (let index = 0; index < plain.length; index++) {
      const other = plain[index] === '7' ? '8' : '7'
      expect(
        await codeOf(() => readRecoveryCode(plain.slice(0, index) + other + plain.slice(index + 1))),
      ).toBe('RECOVERY_CODE_INVALID')
    }
  })

  test.each(['', 'AAAA', `${code}A`, code.slice(1), code.replace(/^./, 'U'), 7, 'A'.repeat(1000)])(
    'is not %s',
    async (text) => {
      expect(await codeOf(() => readRecoveryCode(text as string))).toBe('RECOVERY_CODE_INVALID')
    },
  )

  test('differs every time', () => {
    expect(drawRecoveryCode(platformRandom)).not.toBe(drawRecoveryCode(platformRandom))
  })
})

test('a source of zeros draws no recovery code', () => {
  expect(() => drawRecoveryCode((length) => new Uint8Array(length))).toThrow(
    expect.objectContaining({ code: 'RANDOM_INVALID' }),
  )
})
