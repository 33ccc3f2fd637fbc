import type { JsonObject } from '@sealpool/crypto'
import { privateKeyToAccount } from 'viem/accounts'
import { expect, test } from 'vitest'
import type { AuthenticitySource } from '../authenticity/source.js'
import { verifyContribution } from '../run/verify-contribution.js'
import { ed25519Record, mailEd25519, signMail } from '../testing/signed-mail.js'
import { createRowIndex } from './row-index.js'

const key = new Uint8Array(32).fill(1)
const encode = (text: string) => new TextEncoder().encode(text)
const mailSource: AuthenticitySource = {
  kind: 'dkim',
  keys: [{ domain: 'example.org', selector: 'ed', record: ed25519Record(mailEd25519) }],
}
const letter = (body: string) =>
  signMail({
    headers: [['From', 'a@example.org']],
    body: `${body}\r\n`,
    domain: 'example.org',
    selector: 'ed',
    key: mailEd25519,
  })
const letters = ['one', 'two', 'three'].map(letter)
const statementsOf = async (source: AuthenticitySource, mediaType: string, text: string) =>
  (await verifyContribution({ mediaType, bytes: encode(text), sources: [source] })).statements
const ofBox = (...mails: readonly string[]) =>
  statementsOf(
    mailSource,
    'application/mbox',
    mails.map((mail) => `From x Fri Nov 20 10:00:00 2026\r\n${mail}\r\n`).join('\r\n'),
  )

test('a part of a mailbox has statements of the whole and no others', async () => {
  const all = await ofBox(...letters)
  expect(all?.items).toHaveLength(3)
  expect((await ofBox(letters[2] ?? ''))?.items).toEqual(all?.items.slice(2))
  // Twice the same, unsigned ones between them, in another order, under headers of the contributor's own.
  const copy = [
    `X-Own: 1\r\n${letters[1]}`,
    'From: b@example.org\r\n\r\nfree',
    letters[0] ?? '',
    letters[1] ?? '',
  ]
  expect([...((await ofBox(...copy))?.items ?? [])].sort()).toEqual(
    [...(all?.items.slice(0, 2) ?? [])].sort(),
  )

  const index = createRowIndex({ key })
  index.add(all ?? { items: [] })
  const novelty = async (...mails: readonly string[]) =>
    index.novelty((await ofBox(...mails)) ?? { items: [] })
  expect(await novelty(...letters.slice(1))).toBe(0)
  expect(await novelty(letters[0] ?? '', letter('four'))).toBe(0.5)
})

test('so has a part of the records of a device', async () => {
  const device = privateKeyToAccount(`0x${'11'.repeat(32)}`)
  const types = { Sample: [{ name: 'counter', type: 'uint64' }] } as const
  const record = async (counter: number) => ({
    message: { counter },
    signature: await device.signTypedData({
      domain: {},
      types,
      primaryType: 'Sample',
      message: { counter: BigInt(counter) },
    }),
  })
  const source: AuthenticitySource = {
    kind: 'device-record',
    domain: {} as JsonObject,
    types,
    primaryType: 'Sample',
    devices: [{ name: 'Meter', address: device.address }],
  }
  const records = await Promise.all([1, 2, 3].map(record))
  const of = (some: readonly unknown[]) =>
    statementsOf(source, 'application/json', JSON.stringify({ records: some }))
  const all = (await of(records))?.items ?? []
  expect(all).toHaveLength(3)
  expect((await of(records.slice(1)))?.items).toEqual(all.slice(1))
  const spelt = { message: { counter: '0x3' }, signature: records[2]?.signature }
  expect((await of([spelt]))?.items).toEqual(all.slice(2))
  expect(await of([{ message: { counter: 4 }, signature: records[2]?.signature }])).toBeUndefined()
})

test('there are none where nothing is signed, or a signature covers the file as a whole', async () => {
  expect(await ofBox('From: b@example.org\r\n\r\nfree')).toBeUndefined()
  expect(await statementsOf({ kind: 'jws', keys: [] }, 'application/jwt', 'a.b.c')).toBeUndefined()
})
