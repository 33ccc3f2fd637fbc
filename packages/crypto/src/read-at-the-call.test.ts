import { secp256k1 } from '@noble/curves/secp256k1.js'
import * as openpgp from 'openpgp'
import { describe, expect, test } from 'vitest'
import * as aggregate from './aggregate/index.js'
import { sha256Digest } from './digest/digest.js'
import * as main from './index.js'
import * as interop from './interop/index.js'
import * as postQuantum from './post-quantum/index.js'
import * as recovery from './recovery/index.js'
import { runSession, seededRandom, testMembers, testSession } from './testing/committee.js'
import {
  bytesOf,
  context,
  pool,
  poolKey,
  repeatable,
  sealedOf,
  stranger,
  through,
} from './testing/sealed-fixture.js'
import * as threshold from './threshold/index.js'

type Fields = Record<string, Uint8Array>
interface Row {
  /** The bytes that the caller gives, and wipes as soon as the call returned its promise. */
  readonly fields: Fields
  readonly call: (fields: Fields) => Promise<unknown>
}
/** One call: its promise, and what is compared once it has settled. */
const row = <Names extends string>(
  fields: Record<Names, Uint8Array>,
  call: (fields: Record<Names, Uint8Array>) => Promise<unknown>,
): Row => ({ fields, call: call as Row['call'] })

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value)
const { privateKey, publicKey } = main.deriveKeyPair(bytes(32, 1))
const sender = main.deriveKeyPair(bytes(32, 2))
const xwing = postQuantum.deriveXwingKeyPair(bytes(32, 3))
const info = bytes(3, 4)
const aad = bytes(2, 5)
const plaintext = bytes(9, 6)
const wrap = { publicKey, info, senderPrivateKey: sender.privateKey }
const message = await main.hpkeSeal({ ...wrap, aad, plaintext })
const open = { privateKey, info, senderPublicKey: sender.publicKey }
const conversation = await main.hpkeSender({ ...wrap, random: repeatable() })
const first = await conversation.context.seal(plaintext, aad)
const walletSecret = bytes(32, 7)
const address = `0x${'ab'.repeat(20)}` as const
const keyId = main.walletIdentityFromSecret({ secret: walletSecret, address }).keyId as main.Digest
const code = recovery.drawRecoveryCode(repeatable())
const device = (secret: Uint8Array) => ({ kind: 'secret', name: 'phone', secret }) as const
const subject = { chainId: 1, address, keyId }
const backUp = async (secret: Uint8Array, factor: recovery.RecoveryFactor) => {
  const backup = await recovery.createWalletKeyBackup({
    ...subject,
    secret,
    factors: [factor],
    random: repeatable(),
  })
  return backup
}
const deviceBackup = await backUp(walletSecret, device(bytes(32, 8)))
const eciesKey = bytes(32, 9)
const eciesMessage = await interop.sealEcies({ publicKey: secp256k1.getPublicKey(eciesKey), plaintext })
const ageKeys = {
  recipients: [interop.encodeAgeRecipient(publicKey)],
  identities: [interop.encodeAgeIdentity(privateKey)],
}
const ageFile = await interop.sealAge(plaintext, ageKeys)
const password = 'a password'
const passwordFile = await interop.sealPasswordFile({ openpgp: openpgp as never, plaintext, password })
const members = testMembers('at the call', 3)
const { key, shares } = runSession(members, testSession(members, 2))
const definition = {
  type: 'sealpool/aggregate',
  version: 1,
  chainId: key.chainId,
  registry: key.registry,
  pool: key.pool,
  publicKey: key.publicKey,
  session: key.session,
  question: sha256Digest(bytes(1, 1)),
  measure: { kind: 'sum', minimum: 0, maximum: 1 },
  contributors: null,
  minimumCohort: 2,
  maximumCohort: 5,
} as aggregate.AggregateDefinition
const question = {
  definition,
  inputs: members
    .slice(0, 2)
    .map(({ signingKey }) =>
      aggregate.encryptInput({ key, definition, value: 1, signingKey, random: seededRandom('input') }),
    ),
}
const claimWith = (signingKey: Uint8Array) =>
  aggregate.claimInputs({ ...question, key, signingKey, claim: async () => true })
const claims = await Promise.all(members.map(({ signingKey }) => claimWith(signingKey)))
const [share] = shares
const [member] = members
if (share === undefined || member === undefined) throw new Error('a session has members')
const sealed = await sealedOf(200)
const { payloadOffset } = main.parseHeader(sealed)
const header = sealed.slice(0, payloadOffset)
const identities = [main.hpkeIdentity(poolKey)]
const newcomer = main.hpkeRecipient({ publicKey })
const random = () => repeatable(3)

const lent = { fileKey: bytes(32, 10), binding: bytes(32, 11) }
const lentTo = {
  hpke: main.hpkeRecipient({ publicKey }),
  'X-Wing': main.hpkeRecipient({ publicKey: xwing.publicKey, kem: postQuantum.xwingKem }),
  wallet: main.walletRecipient(main.walletIdentityFromSecret({ secret: walletSecret, address })),
  threshold: main.thresholdRecipient({
    scheme: 'plain/1',
    keyId: 'committee',
    envelopeLength: 32,
    wrap: async ({ fileKey }) => {
      await undefined
      return fileKey
    },
  }),
}

const rows: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(
    (['auto', 'pure', 'webcrypto'] as const).flatMap((backend) =>
      Object.entries({
        hpkeSeal: row({ ...wrap, aad, plaintext }, (given) =>
          main.hpkeSeal({ ...given, random: random(), backend }),
        ),
        hpkeOpen: row({ ...open, aad, message }, (given) => main.hpkeOpen({ ...given, backend })),
        hpkeSender: row(wrap, async (given) => {
          const { enc, context } = await main.hpkeSender({ ...given, random: random(), backend })
          return { enc, message: await context.seal(plaintext), secret: context.exportSecret(info, 8) }
        }),
        hpkeReceiver: row({ ...open, enc: conversation.enc }, async (given) =>
          (await main.hpkeReceiver({ ...given, backend })).open(first, aad),
        ),
        'x25519Kem.encapsulate': row({ publicKey, senderPrivateKey: sender.privateKey }, (given) =>
          main.x25519Kem.encapsulate({ ...given, random: random(), backend }),
        ),
        'x25519Kem.prepare': row({ enc: conversation.enc, senderPublicKey: sender.publicKey }, (given) =>
          main.x25519Kem.prepare(privateKey).decapsulate({ ...given, backend }),
        ),
      }).map(([name, each]) => [`${name} ${backend}`, each] as const),
    ),
  ),
  'xwingKem.encapsulate': row({ publicKey: xwing.publicKey }, (given) =>
    postQuantum.xwingKem.encapsulate({ ...given, random: random(), backend: 'auto' }),
  ),
  'context.seal': row({ plaintext, aad }, async (given) => {
    const { enc, context } = conversation
    const receiver = await main.hpkeReceiver({ ...open, enc })
    await receiver.open(first, aad)
    const number = await context.seal(given.plaintext, given.aad)
    return number.length
  }),
  'createWalletKeyBackup code': row({ secret: walletSecret }, (given) =>
    backUp(given.secret, { kind: 'recovery-code', code }),
  ),
  'createWalletKeyBackup secret': row({ secret: walletSecret, factor: bytes(32, 8) }, (given) =>
    backUp(given.secret, device(given.factor)),
  ),
  'createWalletKeyBackup passphrase': row({ secret: walletSecret }, (given) =>
    backUp(given.secret, { kind: 'passphrase', passphrase: 'correct horse battery' }),
  ),
  openWalletKeyBackup: row({ factor: bytes(32, 8) }, (given) =>
    recovery.openWalletKeyBackup(deviceBackup, { factor: device(given.factor) }),
  ),
  ...Object.fromEntries(
    (['auto', 'pure', 'webcrypto'] as const).flatMap((backend) =>
      Object.entries(lentTo).map(([name, recipient]) => {
        const call: Row['call'] = (given) =>
          recipient.wrap({ ...(given as typeof lent), context, random: random(), backend })
        return [`recipient.wrap ${name} ${backend}`, row(lent, call)] as const
      }),
    ),
  ),
  sealEcies: row({ publicKey: secp256k1.getPublicKey(eciesKey), plaintext }, (given) =>
    interop.sealEcies({ ...given, random: random() }),
  ),
  openEcies: row({ privateKey: eciesKey, message: eciesMessage }, (given) => interop.openEcies(given)),
  sealAge: row({ plaintext }, (given) => interop.sealAge(given.plaintext, { ...ageKeys, random: random() })),
  openAge: row({ file: ageFile }, (given) => interop.openAge(given.file, ageKeys)),
  openPasswordFile: row({ file: passwordFile }, (given) =>
    interop.openPasswordFile({ openpgp: openpgp as never, password, file: given.file }),
  ),
  sealPasswordFile: row({ plaintext }, async (given) => {
    const file = await interop.sealPasswordFile({ openpgp: openpgp as never, password, ...given })
    return interop.openPasswordFile({ openpgp: openpgp as never, password, file })
  }),
  claimInputs: row({ signingKey: member.signingKey }, (given) => claimWith(given.signingKey)),
  decryptTotalsPartially: row({ secret: share.secret }, (given) =>
    aggregate.decryptTotalsPartially({
      ...question,
      claims,
      share: { ...share, secret: given.secret },
      random: seededRandom('part'),
    }),
  ),
  // Headers alone: of whole files see below.
  addRecipient: row({ header }, (given) =>
    main.addRecipient(given.header, { identities, recipient: newcomer, random: random() }),
  ),
  rewrapHeader: row({ header }, (given) =>
    main.rewrapHeader(given.header, {
      identities,
      from: poolKey.keyId,
      to: newcomer,
      expect: {
        chainId: 31337,
        pool: main.parseHeader(sealed).context.pool,
        policyDigest: main.parseHeader(sealed).context.policyDigest,
      },
      random: random(),
    }),
  ),
}

/** Functions that give a promise and stand in no row, and why. */
const without: Readonly<Record<string, string>> = {
  sealBytes: 'reads a large payload as it goes: the docstring says that nobody may change it',
  openBytes: 'reads a large payload as it goes: what was changed meanwhile is refused as not authentic',
  openRange: 'reads its source, and is given no bytes; lists and objects below',
  sealedReader: 'reads its source, and is given no bytes; lists and objects below',
  rewriteHeader: 'reads its source, and is given no bytes; lists and objects below',
  rewrapHeaders: 'reads its store, and is given no bytes; lists and objects below',
  removeRecipient: 'as addRecipient',
  establishWalletKey: 'is given no bytes',
}

describe('what counts is what was given at the call', () => {
  test('every function that gives a promise is in the table', () => {
    const named = new Set([...Object.keys(rows).map((name) => name.split(' ')[0]), ...Object.keys(without)])
    const missing = [main, aggregate, interop, postQuantum, recovery, threshold].flatMap((entry) =>
      Object.entries(entry).flatMap(([name, value]) =>
        value?.constructor?.name === 'AsyncFunction' && !named.has(name) ? [name] : [],
      ),
    )
    expect(missing).toEqual([])
    expect(main.hpkeSeal.constructor.name).toBe('AsyncFunction')
  })

  const kinds = {
    Uint8Array: (from: Uint8Array) => from.slice(),
    Buffer: (from: Uint8Array) => Buffer.from(from),
  }
  const cases = Object.entries(rows).flatMap(([name, { fields }]) =>
    Object.keys(fields).flatMap((field) =>
      (['Uint8Array', 'Buffer'] as const).map((kind) => [name, field, kind] as const),
    ),
  )
  test.each(cases)('%s, %s wiped (%s)', async (name, field, kind) => {
    const { fields, call } = rows[name] ?? row({}, async () => undefined)
    const fresh = () =>
      Object.fromEntries(Object.entries(fields).map(([each, value]) => [each, kinds[kind](value)]))
    const wanted = await call(fresh())
    const given = fresh()
    const promise = call(given)
    given[field]?.fill(0)
    expect(await promise).toEqual(wanted)
  })

  test('a sealed file that is wiped while it is opened is refused', async () => {
    const given = sealed.slice()
    const promise = main.openBytes(given, { identities: [stranger, ...identities] })
    given.fill(0)
    await expect(promise).rejects.toMatchObject({ code: 'CHUNK_REFUSED' })
  })

  test.each<recovery.RecoveryFactor['kind']>(['recovery-code', 'secret', 'passphrase'])(
    'a backup of a secret that was wiped meanwhile holds the secret (%s)',
    async (kind) => {
      const factors = {
        'recovery-code': { kind: 'recovery-code', code },
        secret: device(bytes(32, 8)),
        passphrase: { kind: 'passphrase', passphrase: 'correct horse battery' },
      } as const
      const secret = walletSecret.slice()
      const promise = backUp(secret, factors[kind])
      secret.fill(0)
      const backup = await promise
      const options = { factor: factors[kind], expect: subject, kem: main.x25519Kem }
      expect(await recovery.openWalletKeyBackup(backup, options)).toEqual(walletSecret)
    },
  )
})

const bob = main.hpkeIdentity({ privateKey })
const withBob = await main.addRecipient(sealed, { identities, recipient: newcomer })
const sourceOf = (file: Uint8Array) => ({
  size: file.length,
  read: async (at: number, length: number) => file.slice(at, at + length),
})
const names = (file: Uint8Array) => main.listRecipients(file).map((recipient) => recipient.keyId)
const ends = (promise: Promise<unknown>) =>
  promise.then(
    (value) => value,
    (error: { code?: unknown }) => error.code,
  )

/** Lists and objects that the caller gives, and goes on using as soon as the call returned. */
const fresh = () => ({
  recipients: [main.hpkeRecipient(poolKey)],
  context: { ...context } as { -readonly [Name in keyof main.SealContext]: main.SealContext[Name] },
  identities: [pool],
  expect: { epoch: 1 } as { epoch?: number },
  wrong: { epoch: 9 } as { epoch?: number },
  add: [] as main.Recipient[],
  remove: [{ keyId: newcomer.keyId }],
  register: { chainId: context.chainId, pool: context.pool, policyDigest: context.policyDigest } as {
    chainId: number
    pool: main.Address
    policyDigest: main.Digest
  },
})
type Given = ReturnType<typeof fresh>
const reading = {
  openRange: (given: object) =>
    main.openRange({ source: sourceOf(sealed), start: 0, end: 9, ...(given as Given) }),
  sealedReader: async (given: object) => {
    const reader = await main.sealedReader({ source: sourceOf(sealed), ...(given as Given) })
    return reader.plaintextLength
  },
  openStream: (given: object) => through(main.openStream(given as Given), sealed, 50),
  openBytes: (given: object) => main.openBytes(sealed, given as Given),
  rewriteHeader: async (given: object) => {
    const change = { source: sourceOf(sealed), add: [newcomer], random: random(), ...given }
    return names((await main.rewriteHeader(change as never)).header)
  },
}
const storeOf = (file: Uint8Array) => {
  let now = file
  return {
    list: async function* () {
      yield 'one'
    },
    read: async () => now,
    replace: async (_: string, next: Uint8Array) => {
      now = next
    },
  }
}
const sealing = {
  sealBytes: (given: Given) => main.sealBytes(bytesOf(200), { ...given, random: random() }),
  'sealBytes, commitment made': async (given: Given) => {
    const { commitment: _, ...rest } = given.context
    const own = Object.assign(given.context, { commitment: undefined }, rest)
    return main.sealBytes(bytesOf(200), { recipients: given.recipients, context: own, random: random() })
  },
  seal: (given: Given) =>
    through(
      main.seal({ recipients: given.recipients, context: given.context, random: random() }),
      bytesOf(200),
      50,
    ),
}
const lists: readonly (readonly [string, (given: Given) => Promise<unknown>, (given: Given) => void])[] = [
  ...Object.entries(sealing).flatMap(
    ([name, call]) =>
      [
        [`${name}, a recipient comes`, call, ({ recipients: to }) => to.push(newcomer)],
        [`${name}, another in its place`, call, ({ recipients: to }) => to.splice(0, 1, newcomer)],
        [`${name}, nobody left`, call, ({ recipients: to }) => to.splice(0)],
        [`${name}, context of the next file`, call, ({ context: own }) => Object.assign(own, { epoch: 2 })],
      ] as [string, (given: Given) => Promise<unknown>, (given: Given) => void][],
  ),
  ...Object.entries(reading).flatMap(
    ([name, call]) =>
      [
        [
          `${name}, expect loosened`,
          (g) => call({ identities: g.identities, expect: g.wrong }),
          (g) => delete g.wrong.epoch,
        ],
        [
          `${name}, expect spoiled`,
          (g) => call({ identities: g.identities, expect: g.expect }),
          (g) => Object.assign(g.expect, g.wrong),
        ],
        [
          `${name}, identities emptied`,
          (g) => call({ identities: g.identities }),
          (g) => g.identities.splice(0),
        ],
        [
          `${name}, an identity comes`,
          (g) => {
            g.identities.splice(0, 1, stranger)
            return call({ identities: g.identities })
          },
          (g) => g.identities.push(pool),
        ],
      ] as [string, (given: Given) => Promise<unknown>, (given: Given) => void][],
  ),
  ...(
    [
      ['emptied', ({ remove }: Given) => remove.splice(0)],
      ['of another', ({ remove }: Given) => Object.assign(remove[0] ?? {}, { keyId: poolKey.keyId })],
    ] as const
  ).map(
    ([name, change]) =>
      [
        `rewriteHeader, remove ${name}`,
        async ({ remove }: Given) => {
          const options = { source: sourceOf(withBob), identities, remove, random: random() }
          return names((await main.rewriteHeader(options)).header)
        },
        (given: Given) => void change(given),
      ] as const,
  ),
  [
    'rewriteHeader, a newcomer comes',
    async ({ add }) => {
      const options = { source: sourceOf(sealed), identities, add, random: random() }
      return names((await main.rewriteHeader(options)).header)
    },
    ({ add }) => void add.push(newcomer),
  ],
  ...(
    [
      ['expect spoiled', ({ register }: Given) => Object.assign(register, { chainId: 5 })],
      ['identities emptied', (given: Given) => given.identities.splice(0)],
    ] as const
  ).map(
    ([name, change]) =>
      [
        `rewrapHeaders, ${name}`,
        (given: Given) =>
          main.rewrapHeaders({
            store: storeOf(sealed),
            identities: given.identities,
            from: poolKey.keyId,
            to: newcomer,
            expect: given.register,
            random: random(),
          }),
        (given: Given) => void change(given),
      ] as const,
  ),
]

describe('lists and objects count as they were at the call', () => {
  test.each(lists)('%s', async (_, call, change) => {
    const wanted = await ends(call(fresh()))
    const given = fresh()
    const promise = call(given)
    change(given)
    expect(await ends(promise)).toEqual(wanted)
  })

  test('a file for one does not open for another who came to the list later', async () => {
    const to = [main.hpkeRecipient(poolKey)]
    const promise = main.sealBytes(bytesOf(200), { recipients: to, context })
    to.push(newcomer)
    await expect(main.openBytes(await promise, { identities: [bob] })).rejects.toMatchObject({
      code: 'NO_MATCHING_IDENTITY',
    })
  })
})

describe('a recipient that is called by hand, or by a recipient around it', () => {
  test('a file whose recipient wipes what it was lent opens', async () => {
    const inner = main.hpkeRecipient(poolKey)
    const outer: main.Recipient = {
      ...inner,
      wrap(request) {
        const promise = inner.wrap(request)
        request.fileKey.fill(0)
        return promise
      },
    }
    const file = await main.sealBytes(bytesOf(9), { recipients: [outer], context })
    expect((await main.openBytes(file, { identities })).plaintext).toEqual(bytesOf(9))
  })

  test.each(Object.entries(lentTo))('%s wraps no key of another length', async (_, recipient) => {
    const wrapOf = (fileKey: unknown) =>
      ends(
        recipient.wrap({
          ...lent,
          fileKey: fileKey as Uint8Array,
          context,
          random: random(),
          backend: 'auto',
        }),
      )
    for (const fileKey of [bytes(31, 1), bytes(33, 1), bytes(0, 0), 'a'.repeat(32), undefined]) {
      expect(await wrapOf(fileKey)).toBe('KEY_INVALID')
    }
  })
})
