import { createClient, custom } from 'viem'
import { expect, test } from 'vitest'
import { type Finality, finalBlock, requireFinality } from './finality.js'

/** A chain whose newest block is the 20th, whose safe one is the 15th, and which has no finalized one. */
const numbers: Readonly<Record<string, string>> = { latest: '0x14', safe: '0xf' }
const asked: unknown[] = []
const client = createClient({
  transport: custom({
    async request({ params }: { readonly params: readonly unknown[] }) {
      asked.push(params[0])
      const number = numbers[String(params[0])]
      return number === undefined ? null : { number, timestamp: '0x1', transactions: [] }
    },
  }),
})

test('one of the two fields decides; one that is there and undefined is not there', async () => {
  expect(await finalBlock(client, { confirmations: 12, blockTag: undefined })).toBe(8n)
  expect(await finalBlock(client, { blockTag: 'safe', confirmations: undefined })).toBe(15n)
  expect(await finalBlock(client, { confirmations: 20 })).toBe(0n)
  await expect(finalBlock(client, { confirmations: 21 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(finalBlock(client, { blockTag: 'finalized' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test.each([
  {},
  { confirmations: undefined, blockTag: undefined },
  { confirmations: 12, blockTag: 'safe' },
  { blockTag: 'latest' },
  { confirmations: -1 },
  { confirmations: 1.5 },
  { confirmations: Number.NaN },
  { confirmations: Number.POSITIVE_INFINITY },
  { confirmations: '12' },
  { confirmations: 12n },
  null,
  'safe',
])('%o is no finality, and the chain is not asked', async (finality) => {
  asked.length = 0
  const refused = { code: 'ARGUMENT_INVALID' }
  await expect(finalBlock(client, finality as Finality)).rejects.toMatchObject(refused)
  expect(() => requireFinality(finality)).toThrow(expect.objectContaining(refused))
  expect(asked).toEqual([])
})
