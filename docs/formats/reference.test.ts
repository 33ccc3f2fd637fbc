import { randomBytes, randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Address,
  addRecipient,
  CryptoError,
  type Digest,
  derivePoolKey,
  encodeArmor,
  hpkeIdentity,
  hpkeRecipient,
  type Identity,
  openBytes,
  publicKeyOf,
  type Recipient,
  removeRecipient,
  type SealSuite,
  sealBytes,
  thresholdRecipient,
  walletIdentity,
  walletRecipient,
} from '@sealpool/crypto'
import { deriveXwingKeyPair, xwingIdentity, xwingKem, xwingRecipient } from '@sealpool/crypto/post-quantum'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  base64,
  here,
  reader,
  requirePython,
  run,
  runVectors,
  scratch,
  skipped,
  type VectorFiles,
} from './reference-process.js'

/*
 * The reader in Python was written from docs/formats/sealed-file.md alone, by somebody who had not seen this code. What
 * the two make of a file is compared here: files of the published vectors, fresh random ones, and broken ones.
 */
const folder = scratch('reference')

const scope = {
  chainId: randomInt(1, 2 ** 40),
  pool: `0x${randomBytes(20).toString('hex')}` as Address,
  policyDigest: `sha256:${randomBytes(32).toString('hex')}` as Digest,
  epoch: randomInt(0, 2 ** 32),
}
const context = { ...scope, mediaType: 'text/csv;header=present' }

interface Person {
  readonly identity: Identity
  readonly recipient: Recipient
  /** In the form that the reader takes. */
  readonly json: object
}

function people(): Record<string, Person> {
  const privateKey = randomBytes(32)
  const root = randomBytes(32)
  const xwing = deriveXwingKeyPair(randomBytes(32))
  const poolKey = derivePoolKey({ root, ...scope })
  const quantumPoolKey = derivePoolKey({ root, ...scope, kem: xwingKem })
  const pool = hpkeIdentity({ privateKey })
  const quantum = xwingIdentity({ privateKey: xwing.privateKey })
  const derived = hpkeIdentity({ privateKey: poolKey.privateKey })
  const quantumDerived = xwingIdentity({ privateKey: quantumPoolKey.privateKey })
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const hpke = (kem: string, { keyId }: Identity, key: object): object => ({
    type: 'hpke',
    kem,
    keyId,
    ...key,
  })
  const fromRoot = { root: hex(root), scope }

  const wallet = (kem: 'x25519' | 'xwing', upperS: boolean): Person => {
    const address = `0x${randomBytes(20).toString('hex')}` as Address
    // Below the group's order either way; whoever reads must take the lower of the two values of s.
    const first = upperS ? 0xf0 : 0x10
    const signature = hex(
      Buffer.concat([Buffer.of(0x10), randomBytes(31), Buffer.of(first), randomBytes(31), Buffer.of(27)]),
    )
    const keys = kem === 'xwing' ? { kem: xwingKem } : {}
    const identity = walletIdentity({ signature: `0x${signature}`, address, ...keys })
    return {
      identity,
      recipient: walletRecipient({ publicKey: identity.publicKey, address, ...keys }),
      json: { type: 'wallet', kem, keyId: identity.keyId, address, signature },
    }
  }
  return {
    pool: {
      identity: pool,
      recipient: hpkeRecipient({ publicKey: publicKeyOf(privateKey) }),
      json: hpke('x25519', pool, { privateKey: hex(privateKey) }),
    },
    xwing: {
      identity: quantum,
      recipient: xwingRecipient({ publicKey: xwing.publicKey }),
      json: hpke('xwing', quantum, { privateKey: hex(xwing.privateKey) }),
    },
    'pool from a root': {
      identity: derived,
      recipient: hpkeRecipient({ publicKey: poolKey.publicKey }),
      json: hpke('x25519', derived, fromRoot),
    },
    'xwing pool from a root': {
      identity: quantumDerived,
      recipient: xwingRecipient({ publicKey: quantumPoolKey.publicKey }),
      json: hpke('xwing', quantumDerived, fromRoot),
    },
    wallet: wallet('x25519', false),
    'wallet with the upper s': wallet('x25519', true),
    'xwing wallet': wallet('xwing', false),
  }
}

const everyone = people()
const names = Object.keys(everyone)
const suites: readonly SealSuite[] = ['aes-256-gcm', 'xchacha20-poly1305']

function person(name: string): Person {
  const found = everyone[name]
  if (found === undefined) throw new Error(`nobody is called ${name}`)
  return found
}

/** What Python says of files to everyone of this page. */
function compare(name: string, files: VectorFiles) {
  const identities = Object.fromEntries(names.map((who) => [who, person(who).json]))
  const { status, stderr, differences, agreed } = runVectors(join(folder, name), identities, files)
  expect(stderr).toBe('')
  expect(differences).toEqual([])
  expect(status).toBe(0)
  return agreed
}

async function positive(name: string, sealed: Uint8Array, opens: readonly string[], plaintext: Uint8Array) {
  const { identity } = person(opens[0] ?? '')
  const opened = await openBytes(sealed, { identities: [identity] })
  const commitmentSalt = Buffer.from(opened.commitmentSalt).toString('hex')
  const { commitment } = opened.context
  const file = { plaintext: base64(plaintext), sealed: base64(sealed), context: { ...context, commitment } }
  return { name, opens, commitmentSalt, ...file }
}

async function refusal(sealed: Uint8Array, who: string): Promise<string> {
  try {
    await openBytes(sealed, { identities: [person(who).identity] })
  } catch (error) {
    if (error instanceof CryptoError) return error.code
    throw error
  }
  return 'opened'
}

/** Copies of a file with one bit changed, cut short, and with bytes added. */
function damage(sealed: Uint8Array): { name: string; bytes: Uint8Array }[] {
  const end = 13 + Buffer.from(sealed).readUInt32BE(9)
  const places = [...Array(60)].map((_, i) => (i < 40 ? randomInt(end) : randomInt(end, sealed.length)))
  const flipped = [...Array(13).keys(), ...places].map((at) => {
    const bytes = Uint8Array.from(sealed)
    const bit = randomInt(8)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
    return { name: `bit ${bit} of byte ${at} changed`, bytes }
  })
  const lengths = [0, 7, 8, 12, 13, end, end + 31, end + 32, end + 47, end + 48, end + 112, sealed.length - 1]
  const cut = [...lengths, ...[...Array(20)].map(() => randomInt(sealed.length))].map((length) => ({
    name: `cut to ${length} bytes`,
    bytes: sealed.subarray(0, length),
  }))
  const longer = [1, 16, 64, 80].map((more) => ({
    name: `${more} bytes more`,
    bytes: Buffer.concat([sealed, randomBytes(more)]),
  }))
  return [...flipped, ...cut, ...longer]
}

describe.skipIf(skipped)('the reference reader in Python', () => {
  beforeAll(() => {
    requirePython()
  })

  test('agrees with every published vector', () => {
    const { status, stdout, stderr } = run(['vectors', join(here, 'vectors')])
    const lines = stdout.toString().trim().split('\n')
    expect(stderr).toBe('')
    expect(lines.filter((line) => !/: [1-9][0-9]* agree, 0 differ$/.test(line))).toEqual([])
    expect(lines.map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['positive', 'negative', 'text', 'text, refused', 'ranges', 'commitments']),
    )
    expect(status).toBe(0)
  })

  test('finds a difference where there is one', () => {
    expect(run(['vectors', here]).stderr).toMatch(/^VECTORS_INVALID: /)
    const negative = [{ name: 'empty', identity: 'pool', error: 'CHUNK_REFUSED', sealed: '' }]
    const { status, differences } = runVectors(
      join(folder, 'wrong'),
      { pool: person('pool').json },
      { negative },
    )
    expect(differences).toContain('negative: empty: TRUNCATED')
    expect(differences).toContain('negative: 0 agree, 1 differ')
    expect(status).toBe(1)
  })

  test.each(suites)('opens fresh %s files of every length and recipient kind', async (suite) => {
    const files: unknown[] = []
    const texts: unknown[] = []
    const add = async (
      size: number,
      opens: readonly string[],
      options: object,
      others: readonly Recipient[] = [],
    ) => {
      const plaintext = randomBytes(size)
      const recipients = [...others, ...opens.map((who) => person(who).recipient)]
      const sealed = await sealBytes(plaintext, { suite, recipients, context, ...options })
      const name = `${size} bytes to ${opens.join(', ')}, ${JSON.stringify(options)}`
      files.push(await positive(name, sealed, opens, plaintext))
      texts.push({ name, text: encodeArmor(sealed), sealed: base64(sealed) })
      return { sealed, plaintext }
    }
    for (const size of [0, 1, 63, 64, 65, 127, 128, 129, randomInt(1000), randomInt(1000)])
      await add(size, ['pool'], { chunkSize: 64 })
    for (const size of [0, 65_535, 65_536, 65_537, randomInt(65_536, 200_000)]) await add(size, ['pool'], {})
    for (const who of names) await add(randomInt(1000), [who], { chunkSize: randomInt(64, 200) })
    await add(randomInt(1000), names, { chunkSize: 4_194_304 })
    const scheme = { scheme: 'example/none', keyId: 'committee', envelopeLength: 100 }
    const threshold = thresholdRecipient({ ...scheme, wrap: () => randomBytes(100) })
    const { sealed, plaintext } = await add(300, ['xwing', 'wallet'], { chunkSize: 64 }, [threshold])

    const identities = [person('wallet').identity]
    const more = await addRecipient(sealed, { identities, recipient: person('pool').recipient })
    files.push(await positive('a recipient added', more, ['xwing', 'wallet', 'pool'], plaintext))
    const { type, keyId } = person('xwing').identity
    const fewer = await removeRecipient(more, { identities, type, keyId })
    files.push(await positive('a recipient taken out', fewer, ['wallet', 'pool'], plaintext))

    const agreed = compare(suite, { positive: files, armor: { positive: texts, negative: [] } })
    expect(agreed('identities')).toBe(names.length)
    expect(agreed('commitments')).toBe(files.length)
    expect(agreed('text')).toBe(texts.length)
  })

  test.each(suites)('refuses damaged %s files with the codes of the package', async (suite) => {
    const negative: unknown[] = []
    const codes = new Set<string>()
    for (const who of names) {
      const recipients = [person(who).recipient, person(who === 'pool' ? 'wallet' : 'pool').recipient]
      const sealed = await sealBytes(randomBytes(200), { suite, chunkSize: 64, recipients, context })
      for (const { name, bytes } of damage(sealed)) {
        const error = await refusal(bytes, who)
        expect(error, `${who}: ${name}`).not.toBe('opened')
        codes.add(error)
        negative.push({ name: `${who}: ${name}`, identity: who, error, sealed: base64(bytes) })
      }
    }
    expect(compare(`${suite}-damaged`, { negative })('negative')).toBe(negative.length)
    expect([...codes]).toEqual(
      expect.arrayContaining(['TRUNCATED', 'HEADER_INVALID', 'WRAP_REFUSED', 'CHUNK_REFUSED']),
    )
  })

  test('writes the plaintext of files, streams, texts and ranges, and of a cut file only whole chunks', async () => {
    const plaintext = randomBytes(1000)
    const recipients = [person('wallet').recipient]
    const sealed = await sealBytes(plaintext, { chunkSize: 64, recipients, context })
    const path = (name: string, content: Uint8Array | string): string => {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    }
    const identity = ['--identity', path('identity.json', JSON.stringify(person('wallet').json))]
    const file = path('file', sealed)
    const open = (args: readonly string[], input?: Uint8Array) => run(['open', ...args, ...identity], input)

    expect(open([file])).toEqual({ status: 0, stdout: plaintext, stderr: '' })
    expect(open(['-'], sealed)).toEqual({ status: 0, stdout: plaintext, stderr: '' })
    expect(open(['--armor', path('text', encodeArmor(sealed))]).stdout).toEqual(plaintext)
    expect(open([file, '--range', '60:300']).stdout).toEqual(plaintext.subarray(60, 300))
    expect(open([file, '--expect', `epoch=${context.epoch}`]).stdout).toEqual(plaintext)

    const refused = (args: readonly string[], code: string, released = 0, input?: Uint8Array): void => {
      const { status, stdout, stderr } = open(args, input)
      expect(stderr.split(':')[0]).toBe(code)
      expect(stdout).toEqual(plaintext.subarray(0, released))
      expect(status).toBe(1)
    }
    refused([file, '--expect', 'mediaType=text/plain'], 'CONTEXT_MISMATCH')
    refused([file, '--range', '0:1001'], 'RANGE_INVALID')
    refused(['-', '--range', '0:1'], 'RANGE_INVALID', 0, sealed)
    refused([join(folder, 'nowhere')], 'INPUT_OUTPUT_FAILED')
    refused([reader], 'NOT_SEALED_FILE')
    // 1,000 bytes are 15 chunks of 64 and one of 40; a file that lacks its last chunk ends with one not sealed as last.
    const cut = sealed.subarray(0, sealed.length - 56)
    refused([path('cut', cut)], 'CHUNK_REFUSED', 14 * 64)
    refused(['-'], 'TRUNCATED', 15 * 64, sealed.subarray(0, sealed.length - 50))
    expect(open([path('cut', cut), '--range', '60:300']).stdout).toEqual(plaintext.subarray(60, 300))
  })
})
