import { fileURLToPath } from 'node:url'
import { contentSketch, createNearDuplicateIndex, runPoc } from '@sealpool/poc'
import { type BundledPoc, bundlePoc } from '@sealpool/poc/bundle'
import type { JobRuntime } from '@sealpool/sandbox'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mailboxOf, ordersOf, recordOf } from './make-mailbox.js'

const limits = { memoryBytes: 2 ** 26, timeMs: 10_000, outputBytes: 65_536 }
const wallet = `0x${'ab'.repeat(20)}` as const
let poc: BundledPoc
let runtime: JobRuntime
beforeAll(async () => {
  poc = await bundlePoc({ entry: fileURLToPath(new URL('./poc/orders.ts', import.meta.url)) })
  runtime = await createQuickJsRuntime()
})
afterAll(() => runtime.close())

const judge = (bytes: Uint8Array, owner: `0x${string}` = wallet, novelty?: number) =>
  runPoc({
    poc,
    runtime,
    limits,
    contribution: { id: '1', pool: `0x${'11'.repeat(20)}`, owner, mediaType: 'application/mbox', bytes },
    facts: { uniqueness: { duplicate: false, ...(novelty === undefined ? {} : { novelty }) } },
  })
const messages = ordersOf({ person: 'canary-ada', wallet, orders: 6 })
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

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
    attributes: { messages: 7 },
  })
  expect(verdict.evidence).toContainEqual({ check: 'dkim.signature', result: 'pass', place: 'file' })
  expect(JSON.stringify(verdict)).not.toMatch(/canary|Order|EUR|mail\.example/)
})
test('a price that was changed costs authenticity, and is told', async () => {
  const forged = messages.map((message, index) =>
    index === 3 ? message.replace('total 14.50', 'total 99.50') : message,
  )
  const verdict = await judge(mailboxOf(forged))
  expect(verdict).toMatchObject({ valid: true, authenticity: 0.8571 })
  expect(verdict.evidence).toContainEqual({
    check: 'dkim.body-hash',
    result: 'partial',
    place: 'BODY_CHANGED',
  })
})
test('messages that nobody signed are refused', async () => {
  const unsigned = messages.map((message) => message.slice(message.indexOf('From:')))
  expect((await judge(mailboxOf(unsigned))).refusal).toEqual({ code: 'NOT_AUTHENTIC', place: 'file' })
})
test('a stolen mailbox is refused: its messages do not name the thief, and he cannot make one that does', async () => {
  const thief = `0x${'cd'.repeat(20)}` as const
  expect((await judge(mailboxOf(messages), thief)).refusal?.code).toBe('WALLET_NOT_NAMED')
  const renamed = text(mailboxOf(messages)).replaceAll(wallet, thief)
  expect((await judge(new TextEncoder().encode(renamed), thief)).refusal?.code).toBe('WALLET_NOT_NAMED')
})
test('mail of two people is refused', async () => {
  const other = ordersOf({ person: 'bo', wallet, orders: 3 })
  expect((await judge(mailboxOf([...messages, ...other]))).refusal?.code).toBe('SEVERAL_RECIPIENTS')
})
test('a mailbox that comes again with one message less is a near copy, and scores low on uniqueness', async () => {
  const key = new Uint8Array(32).fill(1)
  const sketch = (bytes: Uint8Array) => contentSketch({ key, mediaType: 'application/mbox', bytes })
  const index = createNearDuplicateIndex()
  index.add(sketch(mailboxOf(messages)))
  const copy = mailboxOf(messages.slice(0, -1))
  const novelty = 1 - (index.nearest(sketch(copy))?.contained ?? 0)
  expect(novelty).toBeLessThan(0.2)
  expect((await judge(copy, wallet, novelty)).uniqueness).toBeLessThan(0.2)
})
