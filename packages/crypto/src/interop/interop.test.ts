import { execFileSync, spawnSync } from 'node:child_process'
import { createCipheriv, createECDH, createHash, createHmac, hkdfSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Decrypter, Encrypter } from 'age-encryption'
import fc from 'fast-check'
import * as openpgp from 'openpgp'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../encoding/bytes.js'
import { decodeHex, encodeHex } from '../encoding/hex.js'
import { deriveKeyPair } from '../hpke/x25519-kem.js'
import { platformRandom } from '../platform.js'
import { bytesOf, codeOf, repeatable } from '../testing/sealed-fixture.js'
import {
  decodeAgeIdentity,
  decodeAgeRecipient,
  encodeAgeIdentity,
  encodeAgeRecipient,
  openAge,
  sealAge,
} from './age.js'
import { openEcies, sealEcies } from './ecies.js'
import { type OpenPgpModule, openPasswordFile, scopePassword, sealPasswordFile } from './openpgp.js'

const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))

describe('ECIES as eccrypto writes it', () => {
  const ecdh = createECDH('secp256k1')
  ecdh.generateKeys()
  const privateKey = new Uint8Array(32)
  privateKey.set(ecdh.getPrivateKey(), 32 - ecdh.getPrivateKey().length)
  const publicKey = new Uint8Array(ecdh.getPublicKey())
  const plaintext = bytesOf(132)

  /** The format by OpenSSL alone. */
  function byOpenSsl(text: Uint8Array): Uint8Array {
    const ephemeral = createECDH('secp256k1')
    const share = ephemeral.generateKeys()
    const hash = createHash('sha512').update(ephemeral.computeSecret(publicKey)).digest()
    const iv = Buffer.alloc(16, 3)
    const cipher = createCipheriv('aes-256-cbc', hash.subarray(0, 32), iv)
    const ciphertext = Buffer.concat([cipher.update(text), cipher.final()])
    const mac = createHmac('sha256', hash.subarray(32))
      .update(Buffer.concat([iv, share, ciphertext]))
      .digest()
    return new Uint8Array(Buffer.concat([iv, share, ciphertext, mac]))
  }

  test.each(['native', 'pure'] as const)('is opened when OpenSSL made it (%s)', async (backend) => {
    for (const length of [0, 1, 15, 16, 17, 132]) {
      const text = bytesOf(length)
      expect(await openEcies({ privateKey, message: byOpenSsl(text), backend })).toEqual(text)
    }
  })

  test('is sealed alike in either backend, to keys of either length, and opened again', async () => {
    const compressed = new Uint8Array(ecdh.getPublicKey(null, 'compressed'))
    for (const key of [publicKey, compressed]) {
      const seal = (backend: 'native' | 'pure') =>
        sealEcies({ publicKey: key, plaintext, random: repeatable(4), backend })
      const message = await seal('native')
      expect(await seal('pure')).toEqual(message)
      expect(message.length).toBe(16 + 65 + 144 + 32)
      expect(await openEcies({ privateKey, message })).toEqual(plaintext)
    }
  })

  test('is refused when any byte was changed or it was cut', async () => {
    const message = byOpenSsl(plaintext)
    for (let at = 0; at < message.length; at += 3) {
      expect(await codeOf(() => openEcies({ privateKey, message: flip(message, at) })), `${at}`).toBe(
        'ECIES_REFUSED',
      )
      expect(await codeOf(() => openEcies({ privateKey, message: message.slice(0, at) }))).toBe(
        'ECIES_REFUSED',
      )
    }
    const withoutPadding = byOpenSsl(new Uint8Array())
    expect(
      await codeOf(() => openEcies({ privateKey: new Uint8Array(32).fill(1), message: withoutPadding })),
    ).toBe('ECIES_REFUSED')
  })

  test('with a rightly authenticated but badly padded ciphertext is refused like any other', async () => {
    const message = byOpenSsl(plaintext)
    const hash = createHash('sha512')
      .update(ecdh.computeSecret(message.slice(16, 81)))
      .digest()
    const body = concatBytes(message.slice(0, 81), new Uint8Array(16).fill(9))
    const mac = createHmac('sha256', hash.subarray(32)).update(body).digest()
    for (const backend of ['native', 'pure'] as const) {
      const forged = concatBytes(body, new Uint8Array(mac))
      expect(await codeOf(() => openEcies({ privateKey, message: forged, backend }))).toBe('ECIES_REFUSED')
    }
  })

  test('refuses keys that are none', async () => {
    const message = byOpenSsl(plaintext)
    for (const key of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
      expect(await codeOf(() => openEcies({ privateKey: key, message }))).toBe('KEY_INVALID')
    }
    const offCurve = flip(publicKey, 64)
    for (const key of [offCurve, new Uint8Array(65), new Uint8Array(64), null as unknown as Uint8Array]) {
      expect(await codeOf(() => sealEcies({ publicKey: key, plaintext, random: platformRandom }))).toBe(
        'KEY_INVALID',
      )
    }
    const broken = (length: number) => new Uint8Array(length)
    expect(await codeOf(() => sealEcies({ publicKey, plaintext, random: broken }))).toBe('RANDOM_INVALID')
  })
})

describe('OpenPGP files under a password', () => {
  const module = openpgp as unknown as OpenPgpModule
  const password = '11'.repeat(65)
  const plaintext = bytesOf(1000)

  test('of OpenPGP.js are opened, and ours are opened by it', async () => {
    const message = await openpgp.createMessage({ binary: plaintext })
    const theirs = await openpgp.encrypt({ message, passwords: [password], format: 'binary' })
    expect(await openPasswordFile({ openpgp: module, file: theirs as Uint8Array, password })).toEqual(
      plaintext,
    )
    const ours = await sealPasswordFile({ openpgp: module, plaintext, password })
    const read = await openpgp.readMessage({ binaryMessage: ours })
    const opened = await openpgp.decrypt({ message: read, passwords: [password], format: 'binary' })
    expect(opened.data).toEqual(plaintext)
  })

  test('are refused with another password, altered, cut, or as noise', async () => {
    const file = await sealPasswordFile({ openpgp: module, plaintext, password })
    const open = (bytes: Uint8Array, secret = password) =>
      codeOf(() => openPasswordFile({ openpgp: module, file: bytes, password: secret }))
    expect(await open(file, 'another')).toBe('OPENPGP_REFUSED')
    expect(await open(flip(file, 900))).toBe('OPENPGP_REFUSED')
    expect(await open(file.slice(0, -1))).toBe('OPENPGP_REFUSED')
    expect(await open(bytesOf(100))).toBe('OPENPGP_REFUSED')
    expect(await open(file, '')).toBe('OPTION_INVALID')
  })

  test('that the module cannot make are refused without its words', async () => {
    const failing = { ...openpgp, createMessage: () => Promise.reject(new Error('private words')) }
    const work = sealPasswordFile({ openpgp: failing as never, plaintext: bytesOf(3), password: 'x' })
    await expect(work).rejects.toMatchObject({
      code: 'OPENPGP_REFUSED',
      message: expect.not.stringContaining('private'),
    })
  })

  test('that unpack into more than the limit are refused', async () => {
    const message = await openpgp.createMessage({ binary: new Uint8Array(5_000_000) })
    const config = { preferredCompressionAlgorithm: openpgp.enums.compression.zlib }
    const file = (await openpgp.encrypt({
      message,
      passwords: [password],
      format: 'binary',
      config,
    })) as Uint8Array
    expect(file.length).toBeLessThan(50_000)
    const open = (maximumLength?: number) =>
      codeOf(() => openPasswordFile({ openpgp: module, file, password, maximumLength }))
    expect(await open(1_000_000)).toBe('OPENPGP_REFUSED')
    expect(await open()).toBe('accepted')
    const plain = await sealPasswordFile({ openpgp: module, plaintext: new Uint8Array(2000), password })
    const tooLong = () => openPasswordFile({ openpgp: module, file: plain, password, maximumLength: 1999 })
    expect(await codeOf(tooLong)).toBe('OPENPGP_REFUSED')
  })

  test('of one scope have the password that HKDF gives', async () => {
    const signature = `0x${'ab'.repeat(65)}` as const
    const expected = hkdfSync('sha256', decodeHex(signature), 'vana', 'scope:instagram.profile', 32)
    expect(scopePassword({ signature, scope: 'instagram.profile' })).toBe(
      Buffer.from(expected).toString('hex'),
    )
    expect(await codeOf(() => scopePassword({ signature: '0xab', scope: 'a' }))).toBe('SIGNATURE_INVALID')
    expect(await codeOf(() => scopePassword({ signature, scope: '' }))).toBe('OPTION_INVALID')
  })
})

describe('age files', () => {
  const key = deriveKeyPair(new Uint8Array(32).fill(1))
  const other = deriveKeyPair(new Uint8Array(32).fill(2))
  const recipient = encodeAgeRecipient(key.publicKey)
  const identity = encodeAgeIdentity(key.privateKey)
  const lengths = [0, 1, 65_535, 65_536, 65_537, 200_000]
  const seal = (plaintext: Uint8Array) =>
    sealAge(plaintext, { recipients: [recipient], random: platformRandom })
  const open = (file: Uint8Array) => openAge(file, { identities: [identity] })

  test('carry any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
        expect(await open(await seal(bytes))).toEqual(bytes)
      }),
      { numRuns: 20 },
    )
  })

  test.each(lengths)('of %i bytes are understood by age-encryption, and its files by us', async (length) => {
    const plaintext = bytesOf(length)
    const decrypter = new Decrypter()
    decrypter.addIdentity(identity)
    expect(await decrypter.decrypt(await seal(plaintext))).toEqual(plaintext)
    const encrypter = new Encrypter()
    encrypter.addRecipient(recipient)
    expect(await open(await encrypter.encrypt(plaintext))).toEqual(plaintext)
  })

  const installed = spawnSync('age', ['--version']).status === 0
  if (!installed)
    console.log('skipped: age files against Debian’s age, which is not on PATH (apt-get install age)')
  describe.runIf(installed)('and Debian’s age', () => {
    test.each(lengths)('understand each other at %i bytes', async (length) => {
      const folder = mkdtempSync(join(tmpdir(), 'sealpool-age-'))
      try {
        writeFileSync(join(folder, 'key.txt'), `${identity}\n`)
        const plaintext = bytesOf(length)
        const input = await seal(plaintext)
        const opened = execFileSync('age', ['-d', '-i', join(folder, 'key.txt')], { input, maxBuffer: 1e7 })
        expect(new Uint8Array(opened)).toEqual(plaintext)
        const theirs = execFileSync('age', ['-r', recipient], { input: plaintext, maxBuffer: 1e7 })
        expect(await open(new Uint8Array(theirs))).toEqual(plaintext)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })

    test.each(lengths)('open armoured files of %i bytes, as text and as bytes', async (length) => {
      const theirs = execFileSync('age', ['-a', '-r', recipient], { input: bytesOf(length), maxBuffer: 1e7 })
      const identities = [identity]
      expect(await openAge(theirs.toString(), { identities })).toEqual(bytesOf(length))
      expect(await openAge(new Uint8Array(theirs), { identities })).toEqual(bytesOf(length))
      const edited = ` \n${theirs.toString().replaceAll('\n', '\r\n')}\n\n`
      expect(await openAge(edited, { identities })).toEqual(bytesOf(length))
    })

    test('agree on the recipient of an identity', () => {
      const { stdout } = spawnSync('age-keygen', ['-y'], { input: `${identity}\n` })
      expect(stdout.toString().trim()).toBe(recipient)
    })
  })

  test('for several recipients open for each, past stanzas of other types', async () => {
    const recipients = [encodeAgeRecipient(other.publicKey), recipient]
    const file = await sealAge(bytesOf(9), { recipients, random: platformRandom })
    expect(await open(file)).toEqual(bytesOf(9))
    const encrypter = new Encrypter()
    encrypter.addRecipient(recipient)
    // A grease stanza is written by the reference implementations; this one stands before ours.
    const stranger = encodeAgeIdentity(deriveKeyPair(new Uint8Array(32).fill(3)).privateKey)
    expect(await codeOf(() => openAge(file, { identities: [stranger] }))).toBe('NO_MATCHING_IDENTITY')
  })

  test('are refused when any byte was changed, or they were cut anywhere', async () => {
    const file = await seal(bytesOf(100))
    for (let at = 0; at < file.length; at++) {
      expect(await codeOf(() => open(flip(file, at))), `byte ${at}`).toMatch(
        /^(AGE_INVALID|AGE_REFUSED|NO_MATCHING_IDENTITY)$/,
      )
      expect(await codeOf(() => open(file.slice(0, at))), `cut to ${at}`).toMatch(
        /^(AGE_INVALID|AGE_REFUSED)$/,
      )
    }
  })

  test('are refused when chunks were dropped, reordered or added', async () => {
    const file = await seal(bytesOf(150_000))
    const start = file.length - (150_000 + 3 * 16)
    const chunk = (from: number, to?: number) =>
      file.slice(start + from * 65_552, to === undefined ? undefined : start + to * 65_552)
    const head = file.slice(0, start)
    for (const payload of [
      concatBytes(chunk(0, 1), chunk(2)),
      concatBytes(chunk(1, 2), chunk(0, 1), chunk(2)),
      chunk(0, 2),
      concatBytes(chunk(0), new Uint8Array(16)),
      concatBytes(chunk(0, 2), new Uint8Array(16)),
    ]) {
      expect(await codeOf(() => open(concatBytes(head, payload)))).toBe('AGE_REFUSED')
    }
  })

  test('with an empty last chunk behind a full one, rightly sealed, are refused', async () => {
    const random = repeatable(7)
    const drawn: Uint8Array[] = []
    const file = await sealAge(bytesOf(65_536), {
      recipients: [recipient],
      random: (length) => {
        const bytes = random(length)
        drawn.push(bytes.slice())
        return bytes
      },
    })
    const [fileKey = key.publicKey, , nonce = key.publicKey] = drawn
    const payloadKey = new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32))
    const chunk = (index: number, last: boolean, text: Uint8Array) => {
      const iv = new Uint8Array(12)
      iv[10] = index
      iv[11] = last ? 1 : 0
      const cipher = createCipheriv('chacha20-poly1305', payloadKey, iv, { authTagLength: 16 })
      return new Uint8Array(Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]))
    }
    const head = file.slice(0, -65_552)
    expect(concatBytes(head, chunk(0, true, bytesOf(65_536)))).toEqual(file)
    const forged = concatBytes(head, chunk(0, false, bytesOf(65_536)), chunk(1, true, new Uint8Array()))
    expect(await codeOf(() => open(forged))).toBe('AGE_REFUSED')
  })

  const withHeader = (text: string) => new TextEncoder().encode(text)
  const mac = 'A'.repeat(43)
  const share = 'A'.repeat(43)
  test.each<readonly [string, string, string]>([
    ['another version', `age-encryption.org/v2\n-> X25519 ${share}\n${mac}\n--- ${mac}\n`, 'AGE_INVALID'],
    ['no recipients', `age-encryption.org/v1\n--- ${mac}\n`, 'AGE_INVALID'],
    ['a stanza without type', `age-encryption.org/v1\n-> \n\n--- ${mac}\n`, 'AGE_INVALID'],
    ['two blanks', `age-encryption.org/v1\n-> X25519  ${share}\n${mac}\n--- ${mac}\n`, 'AGE_INVALID'],
    [
      'a line of 65 characters',
      `age-encryption.org/v1\n-> x\n${'A'.repeat(65)}\n--- ${mac}\n`,
      'AGE_INVALID',
    ],
    [
      'a long line whose base64 is right',
      `age-encryption.org/v1\n-> x\n${'A'.repeat(68)}\n\n--- ${mac}\n`,
      'AGE_INVALID',
    ],
    ['a padded MAC', `age-encryption.org/v1\n-> x\n\n--- ${mac}=\n`, 'AGE_INVALID'],
    ['a short MAC', `age-encryption.org/v1\n-> x\n\n--- AAAA\n`, 'AGE_INVALID'],
    [
      'a share of low order',
      `age-encryption.org/v1\n-> X25519 ${share}\n${mac}\n--- ${mac}\n`,
      'AGE_INVALID',
    ],
    ['two shares', `age-encryption.org/v1\n-> X25519 ${share} ${share}\n${mac}\n--- ${mac}\n`, 'AGE_INVALID'],
    ['a short body', `age-encryption.org/v1\n-> X25519 ${share}\nAAAA\n--- ${mac}\n`, 'AGE_INVALID'],
    ['unknown stanzas alone', `age-encryption.org/v1\n-> other a b\n\n--- ${mac}\n`, 'NO_MATCHING_IDENTITY'],
    ['carriage returns', `age-encryption.org/v1\r\n-> x\r\n\r\n--- ${mac}\r\n`, 'AGE_INVALID'],
    ['text', 'hello', 'AGE_INVALID'],
    ['nothing', '', 'AGE_INVALID'],
  ])('with %s are refused', async (_name, text, code) => {
    expect(await codeOf(() => open(withHeader(text)))).toBe(code)
  })

  test('with an endless header cost no more than a megabyte', async () => {
    const endless = new Uint8Array(3_000_000).fill(0x41)
    endless.set(withHeader('age-encryption.org/v1\n-> x\n'))
    expect(await codeOf(() => open(endless))).toBe('AGE_INVALID')
  })

  test('whose armour was altered or cut are refused', async () => {
    const text = Buffer.from(await seal(bytesOf(101)))
      .toString('base64')
      .replace(/.{64}/g, '$&\n')
    const [begin, end] = ['-----BEGIN AGE ENCRYPTED FILE-----', '-----END AGE ENCRYPTED FILE-----']
    const armored = `${begin}\n${text}\n${end}\n`
    expect(await openAge(armored, { identities: [identity] })).toEqual(bytesOf(101))
    expect(text).toContain('=')
    for (const wrong of [
      '',
      'hello',
      `${begin}\n${end}\n`,
      armored.replace(end, ''),
      armored.replace(begin, begin.toLowerCase()),
      armored.replace('\n', '\n\n'),
      armored.replace(text, text.replaceAll('\n', '')),
      armored.replace(text, text.replace('=', '')),
      armored.replace(text.slice(5, 6), '*'),
      `x${armored}`,
    ]) {
      for (const form of [wrong, new TextEncoder().encode(wrong)]) {
        expect(await codeOf(() => openAge(form, { identities: [identity] })), wrong).toBe('AGE_INVALID')
      }
    }
  })

  test('with long arguments open like others, and with a thousand recipients more are refused', async () => {
    const file = await seal(bytesOf(3))
    const text = new TextDecoder('latin1').decode(file)
    // Not authentic: the header's MAC is another. Being read as far as that is what is asked.
    const before = (stanzas: string) => {
      const changed = text.replace('age-encryption.org/v1\n', `age-encryption.org/v1\n${stanzas}`)
      return Uint8Array.from(changed, (character) => character.charCodeAt(0))
    }
    const long = `-> grease ${'x'.repeat(990)} ${'y'.repeat(50)}\n\n`
    expect(await codeOf(() => open(before(long)))).toBe('AGE_REFUSED')
    expect(await codeOf(() => open(before('-> grease\n\n'.repeat(999))))).toBe('AGE_REFUSED')
    expect(await codeOf(() => open(before('-> grease\n\n'.repeat(1000))))).toBe('AGE_INVALID')
  })

  test('are made for 1 to 100 recipients', async () => {
    for (const recipients of [[], Array.from({ length: 101 }, () => recipient)]) {
      expect(await codeOf(() => sealAge(bytesOf(1), { recipients, random: platformRandom }))).toBe(
        'RECIPIENT_INVALID',
      )
    }
  })
})

describe('age keys', () => {
  const key = deriveKeyPair(new Uint8Array(32).fill(1))
  test('are read back', () => {
    expect(decodeAgeRecipient(encodeAgeRecipient(key.publicKey))).toEqual(key.publicKey)
    expect(decodeAgeIdentity(encodeAgeIdentity(key.privateKey))).toEqual(key.privateKey)
  })

  const recipient = encodeAgeRecipient(key.publicKey)
  const identity = encodeAgeIdentity(key.privateKey)
  test.each([
    '',
    'age1',
    recipient.toUpperCase(),
    recipient.slice(0, -1),
    `${recipient.slice(0, -1)}${recipient.endsWith('q') ? 'p' : 'q'}`,
    identity,
    'age1yubikey1qwe',
    7,
  ])('the recipient %s is refused', async (text) => {
    expect(await codeOf(() => decodeAgeRecipient(text as string))).toBe('KEY_INVALID')
  })
  test.each(['', identity.toLowerCase(), `${identity.slice(0, 30)}a${identity.slice(31)}`, recipient, 7])(
    'the identity %s is refused, and not quoted',
    async (text) => {
      const work = () => decodeAgeIdentity(text as string)
      expect(await codeOf(work)).toBe('KEY_INVALID')
      if (typeof text === 'string' && text.length > 10) {
        expect(work).toThrow(
          expect.objectContaining({ message: expect.not.stringContaining(text.slice(20)) }),
        )
      }
    },
  )
  test('a recipient of low order is refused', async () => {
    expect(await codeOf(() => encodeAgeRecipient(new Uint8Array(32)))).toBe('KEY_INVALID')
    expect(encodeHex(decodeAgeRecipient(recipient))).toBe(encodeHex(key.publicKey))
  })
})
