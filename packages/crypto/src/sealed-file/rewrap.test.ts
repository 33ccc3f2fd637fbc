import { beforeAll, describe, expect, test } from 'vitest'
import { platformRandom } from '../platform.js'
import { hpkeIdentity, hpkeRecipient } from '../recipient/hpke-recipient.js'
import { publicKeyOf } from '../recipient/x25519.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  poolKey,
  sealedOf,
  stranger,
  wallet,
  withHeader,
} from '../testing/sealed-fixture.js'
import { parseHeader } from './header.js'
import { openBytes } from './open.js'
import { addRecipient, listRecipients, removeRecipient, rewriteHeader } from './rewrap.js'
import { sealBytes } from './seal.js'

const newKey = new Uint8Array(32).fill(4)
const newcomer = hpkeIdentity({ privateKey: newKey })
const recipient = hpkeRecipient({ publicKey: publicKeyOf(newKey) })
const random = platformRandom
let sealed: Uint8Array
beforeAll(async () => {
  sealed = await sealedOf(200)
})
const payloadOf = (file: Uint8Array) => file.slice(parseHeader(file).payloadOffset)
const opens = (file: Uint8Array, identity: typeof pool) =>
  codeOf(() => openBytes(file, { identities: [identity] }))

const recipientIdOf = (file: Uint8Array, place: number) => listRecipients(file)[place]?.keyId ?? ''

describe('addRecipient', () => {
  test('lets the newcomer in, keeps the others and the payload', async () => {
    const added = await addRecipient(sealed, { identities: [wallet], recipient, random })
    expect(payloadOf(added)).toEqual(payloadOf(sealed))
    for (const identity of [pool, wallet, newcomer]) {
      expect((await openBytes(added, { identities: [identity] })).plaintext).toEqual(bytesOf(200))
    }
  })

  test('works on the header alone', async () => {
    const { payloadOffset } = parseHeader(sealed)
    const header = await addRecipient(sealed.slice(0, payloadOffset), {
      identities: [pool],
      recipient,
      random,
    })
    const joined = new Uint8Array([...header, ...payloadOf(sealed)])
    expect(await opens(joined, newcomer)).toBe('accepted')
  })

  test('refuses one who is there already, a stranger’s wish, another context and an altered header', async () => {
    const again = hpkeRecipient(poolKey)
    const options = { identities: [pool], recipient, random }
    expect(await codeOf(() => addRecipient(sealed, { ...options, recipient: again }))).toBe(
      'RECIPIENT_INVALID',
    )
    expect(await codeOf(() => addRecipient(sealed, { ...options, identities: [stranger] }))).toBe(
      'NO_MATCHING_IDENTITY',
    )
    expect(await codeOf(() => addRecipient(sealed, { ...options, expect: { epoch: 9 } }))).toBe(
      'CONTEXT_MISMATCH',
    )
    const altered = withHeader(sealed, (header) => ({
      ...header,
      recipients: [...(header['recipients'] as []), { type: 'planted' }],
    }))
    expect(await codeOf(() => addRecipient(altered, options))).toBe('HEADER_REFUSED')
  })

  test('refuses the 10,001st, which no reader would take', async () => {
    const later = {
      type: 'later',
      keyId: '',
      template: { type: 'later' },
      wrap: async () => ({ type: 'later' }),
    }
    const recipients = [hpkeRecipient(poolKey), ...Array.from({ length: 9_999 }, () => later)]
    const full = await sealBytes(bytesOf(1), { recipients, context, random })
    const options = { identities: [pool], recipient, random }
    expect(await codeOf(() => addRecipient(full, options))).toBe('RECIPIENT_INVALID')
    expect(await opens(full, pool)).toBe('accepted')
  })
})

describe('removeRecipient', () => {
  test.each([{ add: [recipient] }, { remove: [] }, { recipient }])(
    'wraps for nobody: what it does not know is refused',
    async (stray) => {
      const options = { identities: [wallet], keyId: recipientIdOf(sealed, 0), ...stray }
      await expect(removeRecipient(sealed, options)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    },
  )

  test('shuts one out of this copy and keeps the others', async () => {
    const removed = await removeRecipient(sealed, { identities: [pool], keyId: wallet.keyId })
    expect(payloadOf(removed)).toEqual(payloadOf(sealed))
    expect(await opens(removed, wallet)).toBe('NO_MATCHING_IDENTITY')
    expect(await opens(removed, pool)).toBe('accepted')
  })

  test('undoes an addition byte for byte', async () => {
    const added = await addRecipient(sealed, { identities: [pool], recipient, random })
    const options = { identities: [pool], keyId: newcomer.keyId, type: 'hpke' }
    expect(await removeRecipient(added, options)).toEqual(sealed)
  })

  test('refuses an unknown name, another type and the only recipient', async () => {
    const options = { identities: [pool], keyId: wallet.keyId }
    expect(await codeOf(() => removeRecipient(sealed, { ...options, keyId: 'x' }))).toBe('RECIPIENT_INVALID')
    expect(await codeOf(() => removeRecipient(sealed, { ...options, type: 'hpke' }))).toBe(
      'RECIPIENT_INVALID',
    )
    const single = await removeRecipient(sealed, options)
    expect(await codeOf(() => removeRecipient(single, { ...options, keyId: poolKey.keyId }))).toBe(
      'RECIPIENT_INVALID',
    )
    expect(await codeOf(() => removeRecipient(sealed, { ...options, identities: [stranger] }))).toBe(
      'NO_MATCHING_IDENTITY',
    )
  })
})

describe('rewriteHeader', () => {
  const source = () => {
    const reads: [number, number][] = []
    const read = (at: number, length: number) => {
      reads.push([at, at + length])
      return sealed.slice(at, at + length)
    }
    return { reads, size: sealed.length, read }
  }

  test('changes the recipients of a file elsewhere, and reads nothing past its header', async () => {
    const file = source()
    const { payloadOffset } = parseHeader(sealed)
    const options = { identities: [pool], add: [recipient], remove: [{ keyId: wallet.keyId }], random }
    const rewritten = await rewriteHeader({ ...options, source: file })
    expect(rewritten.previous).toEqual(sealed.slice(0, rewritten.payloadOffset))
    expect(file.reads).toEqual([
      [0, 13],
      [13, payloadOffset],
    ])
    expect(rewritten.payloadOffset).toBe(payloadOffset)
    const whole = new Uint8Array([...rewritten.header, ...payloadOf(sealed)])
    expect(await opens(whole, newcomer)).toBe('accepted')
    expect(await opens(whole, pool)).toBe('accepted')
    expect(await opens(whole, wallet)).toBe('NO_MATCHING_IDENTITY')
  })

  test('replaces all recipients at once, and refuses to leave none', async () => {
    const everyone = [{ keyId: poolKey.keyId }, { keyId: wallet.keyId }]
    const options = { identities: [pool], remove: everyone, random }
    const { header } = await rewriteHeader({ ...options, add: [recipient], source: source() })
    expect(listRecipients(header).map(({ keyId }) => keyId)).toEqual([newcomer.keyId])
    expect(await codeOf(() => rewriteHeader({ ...options, source: source() }))).toBe('RECIPIENT_INVALID')
  })

  test('takes recipients and what is listed for the names of those who go', async () => {
    const listed = listRecipients(sealed).flatMap((each) =>
      each.keyId === wallet.keyId ? [{ ...each, keyId: each.keyId }] : [],
    )
    const instance = new (class {
      get type() {
        return 'hpke'
      }
      keyId = poolKey.keyId
    })()
    for (const remove of [listed, [hpkeRecipient(poolKey), ...listed], [instance, ...listed]]) {
      const { header } = await rewriteHeader({
        ...{ identities: [pool], add: [recipient], random, source: source() },
        remove,
      })
      const gone: readonly string[] = remove.map(({ keyId }) => keyId)
      const stay = [poolKey.keyId, wallet.keyId].filter((keyId) => !gone.includes(keyId))
      expect(listRecipients(header).map(({ keyId }) => keyId)).toEqual([...stay, newcomer.keyId])
    }
  })

  test.each<readonly [string, unknown]>([
    ['a misspelt type', { keyId: wallet.keyId, typ: 'wallet' }],
    ['an undefined type and another', { keyId: wallet.keyId, type: undefined, typ: 'wallet' }],
    ['a key, which has no type', poolKey],
    ['null', null],
    ['a text', wallet.keyId],
  ])('refuses %s in the place of a name', async (_name, name) => {
    const options = { identities: [pool], random, source: source(), remove: [name] as never }
    expect(await codeOf(() => rewriteHeader(options))).toBe('OPTION_INVALID')
  })

  test('lets a recipient who goes come back, but nobody come twice', async () => {
    const back = {
      identities: [pool],
      remove: [{ keyId: poolKey.keyId }],
      add: [hpkeRecipient(poolKey)],
      random,
    }
    expect((await rewriteHeader({ ...back, source: source() })).header.length).toBeGreaterThan(0)
    const twice = { identities: [pool], add: [recipient, recipient], random }
    expect(await codeOf(() => rewriteHeader({ ...twice, source: source() }))).toBe('RECIPIENT_INVALID')
    const goneTwice = {
      identities: [pool],
      remove: [{ keyId: wallet.keyId }, { keyId: wallet.keyId }],
      random,
    }
    expect(await codeOf(() => rewriteHeader({ ...goneTwice, source: source() }))).toBe('RECIPIENT_INVALID')
  })

  test('refuses a source that lies about its size', async () => {
    const options = { identities: [pool], random }
    for (const size of [-1, 0.5, Number.NaN]) {
      expect(await codeOf(() => rewriteHeader({ ...options, source: { ...source(), size } }))).toBe(
        'SOURCE_FAILED',
      )
    }
    expect(await codeOf(() => rewriteHeader({ ...options, source: { ...source(), size: 100 } }))).toBe(
      'TRUNCATED',
    )
  })
})

test('listRecipients shows each recipient, also of types that are unknown here', async () => {
  const later = withHeader(sealed, (header) => ({
    ...header,
    recipients: [...(header['recipients'] as []), { type: 'later', keyId: 7 }],
  }))
  expect(listRecipients(later)).toEqual([
    { type: 'hpke', keyId: poolKey.keyId, kem: 'x25519', address: undefined, known: true },
    { type: 'wallet', keyId: wallet.keyId, kem: 'x25519', address: wallet.address, known: true },
    { type: 'later', keyId: undefined, kem: undefined, address: undefined, known: false },
  ])
})

describe('a newcomer', () => {
  const wrapping = (stanza: object, scope?: object) => ({
    ...recipient,
    scope,
    wrap: async () => stanza as never,
  })
  test.each([
    ['a critical stanza that nobody knows', { type: 'team/x', critical: true }, 'RECIPIENT_UNSUPPORTED'],
    ['a stanza of no type', { type: 'Bad Type!' }, 'HEADER_INVALID'],
    ['the stanza of a recipient who is there', undefined, 'HEADER_INVALID'],
    ['no stanza', null, 'HEADER_INVALID'],
  ])('that wraps into %s is refused before a header is written', async (_, stanza, code) => {
    const wrapped = stanza === undefined ? (parseHeader(sealed).recipients[0] as object) : (stanza as object)
    const source = {
      size: sealed.length,
      read: (at: number, length: number) => sealed.slice(at, at + length),
    }
    const add = wrapping(wrapped)
    expect(await codeOf(() => addRecipient(sealed, { identities: [pool], recipient: add, random }))).toBe(
      code,
    )
    expect(await codeOf(() => rewriteHeader({ source, identities: [pool], add: [add], random }))).toBe(code)
  })
})

test('a recipient that goes is not named by a misspelt name', async () => {
  const source = { size: sealed.length, read: (at: number, length: number) => sealed.slice(at, at + length) }
  const remove = [{ keyId: poolKey.keyId, typ: 'wallet' }]
  expect(await codeOf(() => rewriteHeader({ source, identities: [pool], remove, random }))).toBe(
    'OPTION_INVALID',
  )
})
