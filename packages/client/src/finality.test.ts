import type { Finality } from '@sealpool/contracts'
import { type Client, createClient, custom } from 'viem'
import { expect, test } from 'vitest'
import { readFinality, requireFinality } from './finality.js'

/** A chain whose newest block is the 20th. */
const chain: Client = createClient({
  transport: custom({
    request: async () => ({ number: '0x14', timestamp: '0x1', transactions: [] }),
  }),
})

test('a field that is there and undefined is not there: the newest block is no final one', async () => {
  const asked: Finality = { confirmations: 12, blockTag: undefined }
  expect(requireFinality(asked)).toStrictEqual({ confirmations: 12 })
  expect(requireFinality({ confirmations: undefined, blockTag: 'safe' })).toStrictEqual({ blockTag: 'safe' })
  const isFinal = await readFinality(chain, asked)
  expect([8n, 9n, 20n].map(isFinal)).toEqual([true, false, false])
})

test('without confirmations every block is final, and the chain is not asked', async () => {
  const silent = createClient({ transport: custom({ request: () => Promise.reject(new Error('asked')) }) })
  const isFinal = await readFinality(silent, { confirmations: 0 })
  expect(isFinal(10n ** 9n)).toBe(true)
})

test.each([{}, { confirmations: undefined }, { confirmations: 1, blockTag: 'safe' }, 'safe', null, 12])(
  '%j is refused before the chain is asked',
  async (finality) => {
    expect(() => requireFinality(finality)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    await expect(readFinality(chain, finality as Finality)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  },
)
