import { expect, it } from 'vitest'
import { setMeta } from '../state/meta-table.js'
import { headsWorld, nodeRing, signerOf } from '../testing/heads-world.js'
import { metaStore } from '../testing/meta-store.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { askPeer } from './head-peers.js'
import { signStateHead } from './state-head.js'

const headAt = (version: number, digit: string) =>
  JSON.parse(
    JSON.stringify(
      signStateHead(signerOf(nodeRing), { line: 0, version, state: digestOfDigit(digit), budgets: [] })
        .signed,
    ),
  )

it('two heads are a contradiction when they are of one version and differ', async () => {
  const world = await headsWorld(1)
  const [peer] = world.peers
  const [node] = world.named
  if (peer === undefined || node === undefined) throw new Error('there is a peer')
  for (const [conflict, is] of [
    [[headAt(5, '1'), headAt(5, '2')], true],
    [[headAt(5, '1'), headAt(6, '2')], false],
    [[headAt(5, '1'), headAt(5, '1')], false],
    [null, false],
  ] as const) {
    peer.says = { state: 'known', head: null, conflict: conflict === null ? null : [...conflict] }
    expect(await askPeer(world.asking, node)).toMatchObject({ found: null, conflict: is })
  }
})

it('an answer of another status is none, whatever it says', async () => {
  const world = await headsWorld(1)
  const [node] = world.named
  if (node === undefined) throw new Error('there is a peer')
  for (const [status, is] of [
    [200, true],
    [202, false],
    [503, false],
  ] as const) {
    const call: typeof world.asking.call = (peer) => async (asked) => ({
      ...(await world.asking.call(peer)(asked)),
      status,
    })
    const answered = askPeer({ ...world.asking, call }, node).then(
      () => true,
      (error) => error.code !== 'NODE_UNREACHABLE',
    )
    expect(await answered).toBe(is)
  }
})

it('one peer is told nothing between jobs before as many have answered as the settings ask for', async () => {
  const world = await headsWorld(2)
  const [, second] = world.peers
  if (second === undefined) throw new Error('there is a second peer')
  second.silent = true
  const store = metaStore()
  const { heads } = world.start(store, { required: 2 })
  await setMeta(store, 'work', 'some')
  await heads.round()
  expect(store.head().version).toBe(1)
  second.silent = false
  world.clock.now += 3
  await heads.round()
  expect(store.head().version).toBe(2)
})
