import { expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import { policyJson } from '../testing/hand-off-fixture.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { otherPeer, otherPool, ownPool } from '../testing/share-fixture.js'
import { homeFinder } from './find-home.js'

const attestation = policyJson['attestation'] as object
const stricter = { ...attestation, maximumAgeSeconds: 60 }
const withPolicy = (pool: typeof ownPool, policy: object) => ({
  ...pool,
  policy: { ...pool.policy, attestation: policy as typeof pool.policy.attestation },
})
const pools = [withPolicy(ownPool, attestation), withPolicy(otherPool, stricter)]
const wanted = otherPeer.statementAddress
const another: AttestedPeer = { ...otherPeer, statementAddress: ownPool.address }
const fails = (code: 'PEER_NOT_ATTESTED' | 'NODE_UNREACHABLE') => () => {
  throw new NodeError(code, 'x', 'why')
}

/** @param nodes what each address turns out to be, by the maximum age that its policy allows */
function finder(nodes: Record<string, (age: number) => AttestedPeer>) {
  const asked: string[] = []
  const clock = { seconds: 0 }
  const find = homeFinder({
    nodes: Object.keys(nodes),
    attest: async (url, { maximumAgeSeconds }) => {
      asked.push(`${url} ${maximumAgeSeconds}`)
      return (nodes[url] ?? fails('NODE_UNREACHABLE'))(maximumAgeSeconds)
    },
    now: () => clock.seconds,
  })
  return { asked, clock, find: () => find(wanted, pools) }
}

it('a home is found by its key, under the policy of every pool, and believed for a minute', async () => {
  const { asked, clock, find } = finder({ a: () => another, b: () => otherPeer })
  expect(await find()).toBe(otherPeer)
  expect(asked).toEqual(['a 86400', 'b 86400', 'b 60'])
  clock.seconds = 59
  await find()
  expect(asked).toHaveLength(3)
  clock.seconds = 61
  await find()
  // Where it was found, it is looked for first.
  expect(asked.slice(3)).toEqual(['b 86400', 'b 60'])
})

it('one that is good enough for one pool alone, or changes its keys meanwhile, is refused', async () => {
  const half = finder({ a: (age) => (age === 60 ? fails('PEER_NOT_ATTESTED')() : otherPeer) })
  await expect(half.find()).rejects.toEqual(expect.objectContaining({ code: 'PEER_NOT_ATTESTED' }))
  const changing = finder({
    a: (age) => (age === 60 ? { ...otherPeer, keySetDigest: digestOfDigit('0') } : otherPeer),
  })
  await expect(changing.find()).rejects.toEqual(expect.objectContaining({ code: 'PEER_NOT_ATTESTED' }))
})

it('nobody else is taken for it; one that is away may be it', async () => {
  const refused = expect.objectContaining({ code: 'PEER_NOT_ATTESTED' })
  await expect(finder({ a: () => another }).find()).rejects.toEqual(refused)
  await expect(finder({ a: fails('PEER_NOT_ATTESTED'), b: () => another }).find()).rejects.toEqual(refused)
  await expect(
    finder({ a: fails('NODE_UNREACHABLE'), b: fails('PEER_NOT_ATTESTED') }).find(),
  ).rejects.toEqual(expect.objectContaining({ code: 'NODE_UNREACHABLE' }))
  expect(await finder({ a: fails('NODE_UNREACHABLE'), b: () => otherPeer }).find()).toBe(otherPeer)
  const broken = finder({
    a: () => {
      throw new TypeError('a bug')
    },
  })
  await expect(broken.find()).rejects.toThrow(TypeError)
  // What has such a code by chance is no node's silence.
  const foreign = finder({
    a: () => {
      throw Object.assign(new Error('x'), { code: 'NODE_UNREACHABLE' })
    },
    b: () => otherPeer,
  })
  await expect(foreign.find()).rejects.toThrow('x')
})

it('a policy that is none lets nobody in', async () => {
  const find = homeFinder({ nodes: ['a'], attest: async () => otherPeer, now: () => 0 })
  await expect(find(wanted, [withPolicy(ownPool, { format: 'x' })])).rejects.toEqual(
    expect.objectContaining({ code: 'PEER_NOT_ATTESTED' }),
  )
})
