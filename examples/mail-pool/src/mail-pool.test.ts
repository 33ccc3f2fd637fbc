import { fileURLToPath } from 'node:url'
import {
  accountPseudonym,
  type ContributionContent,
  contentSketch,
  createNearDuplicateIndex,
  createRowIndex,
  decideAccount,
  novelty,
  runPoc,
} from '@sealpool/poc'
import { authenticMailbox, splitMailbox } from '@sealpool/poc/authenticity'
import { type BundledPoc, bundlePoc } from '@sealpool/poc/bundle'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mailboxOf, ordersOf, recordOf, writeMessage } from './make-mailbox.js'

const limits = { memoryBytes: 2 ** 26, timeMs: 10_000, outputBytes: 65_536 }
const wallet = `0x${'ab'.repeat(20)}` as const
const thief = `0x${'cd'.repeat(20)}` as const
let poc: BundledPoc
let runtime: JobRuntime
beforeAll(async () => {
  poc = await bundlePoc({ entry: fileURLToPath(new URL('./poc/orders.ts', import.meta.url)) })
  runtime = await createQuickJsRuntime()
})
afterAll(() => runtime.close())

/** What a pool remembers of its contributions, as an enclave would keep it: fingerprints, both indexes, holders of accounts. */
function makePool() {
  const key = new Uint8Array(32).fill(1)
  const known = new Set<string>()
  const holders = new Map<string, string>()
  const near = createNearDuplicateIndex()
  const rows = createRowIndex({ key })
  return async (bytes: Uint8Array, owner: `0x${string}` = wallet) => {
    let about: ContributionContent | undefined
    let holder: readonly [account: string, wallet: string] | undefined
    const verdict = await runPoc({
      poc,
      runtime,
      limits,
      contribution: { id: '1', pool: `0x${'11'.repeat(20)}`, owner, mediaType: 'application/mbox', bytes },
      facts: {
        uniqueness: (asked) => {
          about = asked
          return {
            duplicate: known.has(asked.fingerprint(key)),
            novelty: novelty({ key, content: asked.content, near, rows }),
          }
        },
        account: (named) => {
          const account = accountPseudonym({ key, ...named })
          const decided = decideAccount({
            rule: 'first-wallet',
            holder: holders.get(account),
            claimant: owner,
          })
          holder = [account, decided.holder]
          return { accepted: decided.accepted }
        },
      },
    })
    if (verdict.valid && about !== undefined) {
      known.add(about.fingerprint(key))
      near.add(contentSketch({ key, ...about.content }))
      rows.add(about.content)
      if (holder !== undefined) holders.set(...holder)
    }
    return verdict
  }
}
const judge = (bytes: Uint8Array, owner?: `0x${string}`) => makePool()(bytes, owner)
const messages = ordersOf({ person: 'canary-ada', wallet, orders: 6 })
const [own = '', ...orders] = messages
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
/** A message as a forger writes it: everything but the signature. */
const forged = (message: string): string => message.slice(message.indexOf('From:'))

test('the keys in the proof are those of the fixture', () => {
  const source = poc.sources[0]
  expect(source?.kind === 'dkim' && source.keys.map(({ record }) => record)).toEqual([
    recordOf('shop.example'),
    recordOf('books.example'),
    recordOf('mail.example'),
  ])
})
test('a mailbox that the shops signed is worth its full score, and the verdict quotes none of it', async () => {
  const verdict = await judge(mailboxOf(messages))
  expect(verdict).toMatchObject({
    valid: true,
    score: 1,
    authenticity: 1,
    ownership: 1,
    attributes: { orders: 6 },
  })
  expect(verdict.evidence).toContainEqual({ check: 'dkim.signature', result: 'pass', place: 'file' })
  expect(verdict.evidence).toContainEqual({ check: 'account', result: 'pass', place: 'account' })
  expect(JSON.stringify(verdict)).not.toMatch(/canary|Order|EUR|mail\.example/)
})
test('a price that was changed costs authenticity and the order, and is told', async () => {
  const changed = messages.map((message, index) =>
    index === 3 ? message.replace('total 14.50', 'total 99.50') : message,
  )
  const verdict = await judge(mailboxOf(changed))
  expect(verdict).toMatchObject({ valid: true, authenticity: 0.8571, attributes: { orders: 5 } })
  expect(verdict.evidence).toContainEqual({
    check: 'dkim.body-hash',
    result: 'partial',
    place: 'BODY_CHANGED',
  })
})
test('orders that nobody signed count for nothing', async () => {
  const verdict = await judge(mailboxOf([own, ...orders.map(forged)]))
  expect(verdict).toMatchObject({ valid: false, score: 0, refusal: { code: 'NO_ORDERS' } })
  expect((await judge(mailboxOf(messages.map(forged)))).refusal).toEqual({
    code: 'NOT_AUTHENTIC',
    place: 'file',
  })
})
test('one order five times is one order', async () => {
  const verdict = await judge(mailboxOf([own, ...Array.from({ length: 5 }, () => orders[0] ?? '')]))
  expect(verdict).toMatchObject({ valid: true, attributes: { orders: 1 } })
  expect(verdict.score).toBeLessThan(0.9)
})
test('a field that no signature covers changes nothing', async () => {
  const dressed = orders.map((message, index) => `Subject: Order of my own ${index}\r\n${message}`)
  expect((await judge(mailboxOf([own, ...dressed]))).refusal?.code).toBe('NO_ORDERS')
})
test('a mailbox without an order is refused: a wallet alone is nothing to pay for', async () => {
  expect((await judge(mailboxOf([own]))).refusal).toEqual({ code: 'NO_ORDERS', place: 'messages' })
})
test('the account is who sends, not who is written to: one sender cannot name other people or many of himself', async () => {
  const register = makePool()
  const names = (sender: string, to: string, owner: string) =>
    writeMessage({ from: 'mail.example', sender, to, subject: `sealpool ${owner}`, day: 1, body: 'x' })
  const shops = (person: string) => ordersOf({ person, wallet: thief, orders: 5 }).slice(1)
  for (const to of ['stranger@mail.example', 'eve2@elsewhere.example', 'eve@mail.example, bo@mail.example']) {
    const verdict = await register(mailboxOf([names('eve', to, thief), ...shops('stranger')]), thief)
    expect(verdict.refusal?.code).toBe('WALLET_NOT_NAMED')
  }
  // The stranger is not shut out by it, and his own tags are his own account.
  const first = mailboxOf([names('stranger', 'stranger@mail.example', wallet), ...shops('stranger')])
  expect((await register(first, wallet)).valid).toBe(true)
  const tagged = mailboxOf([names('stranger+2', 'stranger+2@mail.example', thief), ...shops('stranger+2')])
  expect((await register(tagged, thief)).refusal?.code).toBe('ACCOUNT_OF_ANOTHER_WALLET')
})
test('a stolen mailbox is refused: its messages do not name the thief, and he cannot make one that does', async () => {
  expect((await judge(mailboxOf(messages), thief)).refusal?.code).toBe('WALLET_NOT_NAMED')
  const renamed = text(mailboxOf(messages)).replaceAll(wallet, thief)
  expect((await judge(new TextEncoder().encode(renamed), thief)).refusal?.code).toBe('WALLET_NOT_NAMED')
})
test('mail of two people is refused', async () => {
  const other = ordersOf({ person: 'bo', wallet, orders: 3 })
  expect((await judge(mailboxOf([...messages, ...other]))).refusal?.code).toBe('ORDERS_OF_ANOTHER_ACCOUNT')
})
test('the same mailbox again is a duplicate, whatever is put around what is signed', async () => {
  const contribute = makePool()
  expect((await contribute(mailboxOf(messages))).valid).toBe(true)
  const copies = [
    messages,
    messages.map((message) => `X-Copy: 2\r\n${message}`),
    [...messages].reverse(),
    [...messages, forged(orders[0] ?? '')],
  ]
  for (const copy of copies) expect((await contribute(mailboxOf(copy))).refusal?.code).toBe('DUPLICATE')
})
test('a mailbox that comes again with one message less has nothing new and is refused', async () => {
  const contribute = makePool()
  await contribute(mailboxOf(messages))
  const verdict = await contribute(mailboxOf(messages.slice(0, -1)))
  expect(verdict).toMatchObject({ valid: false, score: 0, uniqueness: 0, refusal: { code: 'SCORE_TOO_LOW' } })
})
test('a mailbox of which a sixth is new is worth little', async () => {
  const contribute = makePool()
  await contribute(mailboxOf(messages.slice(0, -1)))
  const verdict = await contribute(mailboxOf(messages))
  expect(verdict.valid).toBe(true)
  expect(verdict.score).toBeLessThan(0.35)
})
test('an account that one wallet holds is refused to another', async () => {
  const contribute = makePool()
  expect((await contribute(mailboxOf(messages))).valid).toBe(true)
  const second = ordersOf({ person: 'canary-ada', wallet: thief, orders: 6 })
  expect(await contribute(mailboxOf(second), thief)).toMatchObject({
    valid: false,
    refusal: { code: 'ACCOUNT_OF_ANOTHER_WALLET', place: 'account' },
  })
})
test('what goes to a refiner are the authentic messages, with their signed fields alone', () => {
  const source = poc.sources[0]
  if (source?.kind !== 'dkim') throw new Error('the proof has no keys')
  const dressed = (message: string): string => `X-Note: canary-note\r\n${message}`
  const bytes = mailboxOf([own, forged(orders[0] ?? ''), ...orders.slice(1).map(dressed)])
  const kept = authenticMailbox({ bytes, keys: source.keys, require: source.require })
  expect(splitMailbox(kept)).toHaveLength(6)
  expect(text(kept)).toContain('Order canary-ada-1')
  expect(text(kept)).not.toMatch(/canary-note|Order canary-ada-0/)
  expect(text(kept)).toContain('\r\n>From our hands.\r\n')
})
