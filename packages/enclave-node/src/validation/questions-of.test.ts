import {
  deriveKeyPair,
  hpkeRecipient,
  parseHeader,
  platformRandom,
  type Recipient,
  sealBytes,
} from '@sealpool/crypto'
import { expect, it } from 'vitest'
import { servedPoolFixture } from '../testing/served-pool-fixture.js'
import { isFitHeader, questionsOf } from './questions-of.js'
import { longestHeader } from './told-facts.js'

const { address, chainId, policyDigest } = servedPoolFixture()
const { publicKey } = deriveKeyPair(new Uint8Array(32).fill(3))
const friends = (count: number): Recipient[] =>
  Array.from({ length: count }, (_, index) => hpkeRecipient({ publicKey, keyId: `friend-${index}` }))
/** One that only later releases know. */
const later = (kem: string): Recipient => {
  const template = { type: 'later', keyId: 'x', kem }
  return { type: 'later', keyId: 'x', template, wrap: async () => template }
}
const headerFor = async (recipients: readonly Recipient[]): Promise<Uint8Array> => {
  const sealed = await sealBytes(new Uint8Array(5), {
    recipients,
    context: { chainId, pool: address, policyDigest, epoch: 1, mediaType: 'text/csv' },
    random: platformRandom,
  })
  return sealed.slice(0, parseHeader(sealed).payloadOffset)
}
const judged = (...lengths: number[]) =>
  lengths.map((length) => ({ file: length === 0 ? undefined : { header: new Uint8Array(length) } }))
const lengthsOf = (...lengths: number[]) =>
  questionsOf(judged(...lengths)).map((question) => question.map(({ file }) => file?.header.length ?? 0))

it('a header of some recipients can be sent, one of very many or with two under one name cannot', async () => {
  expect(isFitHeader(await headerFor(friends(80)))).toBe(true)
  expect(isFitHeader(await headerFor([...friends(1), later('a')]))).toBe(true)
  expect(isFitHeader(await headerFor(friends(150)))).toBe(false)
  expect(isFitHeader(await headerFor([...friends(1), later('a'), later('b')]))).toBe(false)
})

it('a question holds eight, and no more of their headers than the API takes', () => {
  expect(lengthsOf()).toEqual([])
  expect(lengthsOf(1, 2, 0, 3, 4, 5, 6, 7, 8)).toEqual([[1, 2, 0, 3, 4, 5, 6, 7], [8]])
  const long = longestHeader
  expect(lengthsOf(long, long, long, long, long, 0, long)).toEqual([
    [long, long, long, long],
    [long, 0, long],
  ])
  for (const question of questionsOf(judged(...Array.from({ length: 40 }, () => long))))
    expect((question.length * long * 4) / 3).toBeLessThan(150_000)
})
