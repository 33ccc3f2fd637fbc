import { describe, expect, it } from 'vitest'
import * as main from './index.js'
import {
  bytesOf,
  codeOf,
  context,
  pool,
  poolKey,
  recipients,
  sealedOf,
  through,
} from './testing/sealed-fixture.js'

const sealed = await sealedOf(100)
const identities = [pool]
const source = { size: sealed.length, read: (at: number, length: number) => sealed.slice(at, at + length) }

// Wrong use from JavaScript: [name, the code, the call].
const uses: readonly (readonly [string, string, (wrong: never) => unknown])[] = [
  ['options of sealBytes', 'OPTION_INVALID', (wrong) => main.sealBytes(bytesOf(1), wrong)],
  ['options of seal', 'OPTION_INVALID', (wrong) => main.seal(wrong)],
  ['options of sealedSize', 'OPTION_INVALID', (wrong) => main.sealedSize(1, wrong)],
  ['options of openBytes', 'OPTION_INVALID', (wrong) => main.openBytes(sealed, wrong)],
  ['options of openStream', 'OPTION_INVALID', (wrong) => through(main.openStream(wrong), sealed, 500)],
  ['options of openRange', 'OPTION_INVALID', (wrong) => main.openRange(wrong)],
  ['options of sealedReader', 'OPTION_INVALID', (wrong) => main.sealedReader(wrong)],
  ['options of rewriteHeader', 'OPTION_INVALID', (wrong) => main.rewriteHeader(wrong)],
  ['options of addRecipient', 'OPTION_INVALID', (wrong) => main.addRecipient(sealed, wrong)],
  ['options of removeRecipient', 'OPTION_INVALID', (wrong) => main.removeRecipient(sealed, wrong)],
  ['options of hpkeSeal', 'OPTION_INVALID', (wrong) => main.hpkeSeal(wrong)],
  ['options of hpkeSender', 'OPTION_INVALID', (wrong) => main.hpkeSender(wrong)],
  ['options of establishWalletKey', 'OPTION_INVALID', (wrong) => main.establishWalletKey(wrong)],
  ['options of rewrapHeader', 'OPTION_INVALID', (wrong) => main.rewrapHeader(sealed, wrong)],
  ['options of rewrapHeaders', 'OPTION_INVALID', (wrong) => main.rewrapHeaders(wrong)],
  ['context', 'CONTEXT_INVALID', (wrong) => main.sealBytes(bytesOf(1), { recipients, context: wrong })],
  ['context of a size', 'CONTEXT_INVALID', (wrong) => main.sealedSize(1, { recipients, context: wrong })],
  [
    'a recipient',
    'RECIPIENT_INVALID',
    (wrong) => main.sealBytes(bytesOf(1), { recipients: [wrong], context }),
  ],
  [
    'the wrap of a recipient',
    'RECIPIENT_INVALID',
    (wrong) =>
      main.sealBytes(bytesOf(1), { recipients: [{ ...main.hpkeRecipient(poolKey), wrap: wrong }], context }),
  ],
  ['an identity', 'OPTION_INVALID', (wrong) => main.openBytes(sealed, { identities: [wrong] })],
  ['source of sealedReader', 'OPTION_INVALID', (wrong) => main.sealedReader({ source: wrong, identities })],
  [
    'source of openRange',
    'OPTION_INVALID',
    (wrong) => main.openRange({ source: wrong, identities, start: 0, end: 1 }),
  ],
  ['source of rewriteHeader', 'OPTION_INVALID', (wrong) => main.rewriteHeader({ source: wrong, identities })],
  [
    'recipient of addRecipient',
    'OPTION_INVALID',
    (wrong) => main.addRecipient(sealed, { identities, recipient: wrong }),
  ],
  [
    'a recipient to add',
    'OPTION_INVALID',
    (wrong) => main.rewriteHeader({ source, identities, add: [wrong] }),
  ],
]

describe('wrong use ends in a typed error', () => {
  it.each(uses)('nothing in the place of %s: %s', async (_, code, use) => {
    for (const wrong of [undefined, null]) expect(await codeOf(() => use(wrong as never))).toBe(code)
  })

  it('a stanza in the place of the function that makes it', async () => {
    const recipient = main.hpkeRecipient(poolKey)
    const recipients = [{ ...recipient, wrap: recipient.template }] as never
    for (const use of [
      () => main.sealBytes(bytesOf(1), { recipients, context }),
      () => main.sealedSize(1, { recipients, context }),
    ]) {
      expect(await codeOf(use)).toBe('RECIPIENT_INVALID')
    }
  })

  it('and in a rejection, where a promise is given', async () => {
    await expect(main.sealBytes(bytesOf(1), undefined as never)).rejects.toMatchObject({ place: 'options' })
  })
})
