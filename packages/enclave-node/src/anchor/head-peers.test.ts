import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { setMeta } from '../state/meta-table.js'
import { headsPool, headsWorld, nodeRing, ringOf, signerOf } from '../testing/heads-world.js'
import { type MetaImage, metaStore } from '../testing/meta-store.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { markOf, signStateHead } from './state-head.js'

const rolledBack = (...texts: readonly string[]) =>
  expect.objectContaining({
    code: 'STATE_ROLLED_BACK',
    message: expect.stringMatching(new RegExp(texts.join('.*'))),
  })
const work = (store: ReturnType<typeof metaStore>, what = String(Math.random())) =>
  setMeta(store, 'work', what)

describe('an old disk image, from between two anchors on the chain', () => {
  it('is refused because of a peer, which says the version that it has seen', async () => {
    const world = await headsWorld(2)
    const store = metaStore()
    const { heads } = world.start(store)
    await heads.confirm()
    await store.charge(headsPool)
    await heads.cover()
    const old = store.image()
    await store.charge(headsPool)
    await heads.cover()
    // The newest disk, and the one of the moment of the head, go on.
    const again = world.start(metaStore(store.image()))
    await again.heads.confirm()
    expect(again.heads.confirmed()).toBe(true)
    const { heads: late, over } = world.start(metaStore(old))
    const said = rolledBack(
      `peer ${world.named[0]?.address} at https://peer-1.example has seen version 3 of line 0`,
      'is older: it has version 2 of line 0',
    )
    await expect(late.confirm()).rejects.toEqual(said)
    expect(late.confirmed()).toBe(false)
    expect(late.reasons()[0]).toContain('STATE_ROLLED_BACK')
    expect(over).toEqual([said])
    for (const call of [late.cover(), late.confirm()]) await expect(call).rejects.toEqual(said)
  })

  it('is not noticed without peers, nor when nothing was told since', async () => {
    const world = await headsWorld(1)
    const store = metaStore()
    const { heads } = world.start(store)
    await heads.cover()
    const old = store.image()
    await work(store)
    const { heads: same } = world.start(metaStore(old))
    await same.confirm()
    expect(same.confirmed()).toBe(true)
    await heads.cover()
    const { heads: alone } = world.start(metaStore(old), { peers: [], required: 0 })
    await alone.confirm()
    expect(alone.confirmed()).toBe(true)
  })

  it('that has gone on while its peers were silent ends when one comes back, however far it has come', async () => {
    const world = await headsWorld(1)
    const [peer] = world.peers
    if (peer === undefined) throw new Error('there is no peer')
    const store = metaStore()
    const { heads } = world.start(store)
    await heads.cover()
    const old = metaStore(store.image())
    await work(store)
    await heads.cover()
    peer.silent = true
    const { heads: forked, over } = world.start(old, { required: 0 })
    await forked.confirm()
    expect(forked.confirmed()).toBe(true)
    for (let times = 0; times < 9; times += 1) await work(old)
    peer.silent = false
    world.clock.now += 1_000
    await expect(forked.round()).rejects.toEqual(
      rolledBack('has seen version 2', 'has gone another way|is older'),
    )
    expect(over).toHaveLength(1)
    expect(forked.confirmed()).toBe(false)
  })

  it('is noticed by a head that is told, when the peer was right before', async () => {
    const world = await headsWorld(1)
    const store = metaStore()
    const first = world.start(store)
    await first.heads.cover()
    // Two machines on copies of one disk, both of which the peer has answered.
    const copy = metaStore(store.image())
    const second = world.start(copy)
    await second.heads.confirm()
    await work(store)
    await first.heads.cover()
    await work(copy)
    await expect(second.heads.cover()).rejects.toEqual(rolledBack('has seen version 2'))
    // Both were told of one version: whoever has the two statements can prove it.
    expect(await world.peers[0]?.keeper.conflicts()).toMatchObject([
      { node: nodeRing.statementAddress, statements: [{ statement: {} }, { statement: {} }] },
    ])
    const { heads } = world.start(metaStore(store.image()))
    await heads.confirm()
    expect(heads.notes().join()).toContain('STATE_CONTRADICTED')
    expect(heads.figures()).toMatchObject({ state_head_conflicts: 1 })
  })

  it('is not stopped where a host lets it ask others than those that have seen the newest, unless it asks more than half; it says so', async () => {
    for (const required of [1, 2]) {
      const world = await headsWorld(2)
      const [first, second] = world.peers
      if (first === undefined || second === undefined) throw new Error('there are two peers')
      const store = metaStore()
      const { heads } = world.start(store, { required })
      await heads.cover()
      const old = store.image()
      await store.charge(headsPool)
      second.silent = true
      const covered = heads.cover().then(
        () => true,
        () => false,
      )
      expect(await covered).toBe(required === 1)
      Object.assign(first, { silent: true })
      second.silent = false
      const { heads: late } = world.start(metaStore(old), { required })
      await late.confirm()
      expect(late.confirmed()).toBe(required === 1)
      expect(late.notes().some((note) => note.startsWith('PEERS_DISJOINT'))).toBe(required === 1)
    }
  })

  it('is refused exactly when a peer has a head that its past does not have', async () => {
    const step = fc.constantFrom(
      'work',
      'tell',
      'lose',
      'silence',
      'slow',
      'arrive',
      'keep',
      'put back',
      'restart',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const world = await headsWorld(1)
        const [peer] = world.peers
        if (peer === undefined) throw new Error('there is no peer')
        let store = metaStore()
        let { heads } = world.start(store)
        let kept: MetaImage = store.image()
        /** The commits that each head was noted in, by the head's digest: the same state gives the same head. */
        const notedIn = new Map<string, Set<string>>()
        const bookOf = () => store.image().meta.get('state heads given away')
        const note = (before: string | undefined) => {
          const book = bookOf()
          if (book === undefined || book === before) return
          const [given] = Object.values(JSON.parse(book).peers) as { sent: { digest: string } }[]
          const digest = given?.sent.digest ?? ''
          // Nothing is written after the book.
          notedIn.set(digest, (notedIn.get(digest) ?? new Set()).add(store.image().past.at(-1) ?? ''))
        }
        const open = async (image: MetaImage) => {
          store = metaStore(image)
          heads = world.start(store).heads
          const found = lastHead(peer)
          const commits = found === undefined ? undefined : [...(notedIn.get(found) ?? [])]
          const isOld = commits?.every((commit) => !image.past.includes(commit)) === true
          const refused = await heads.confirm().then(
            () => false,
            () => true,
          )
          expect(refused).toBe(isOld)
          return !refused
        }
        for (const one of steps) {
          world.clock.now += 1_000
          if (one === 'work') await work(store)
          if (one === 'keep') kept = store.image()
          if (['tell', 'lose', 'silence', 'slow'].includes(one)) {
            await heads.confirm()
            peer.loses = one === 'lose'
            peer.silent = one === 'silence'
            peer.slow = one === 'slow'
            const before = bookOf()
            await heads.cover().catch(() => undefined)
            note(before)
            Object.assign(peer, { loses: false, silent: false, slow: false })
          }
          if (one === 'arrive') for (const sent of peer.held.splice(0).reverse()) await sent()
          if (one === 'restart') expect(await open(store.image())).toBe(true)
          if (one === 'put back') {
            const newest = store.image()
            if (!(await open(kept))) await open(newest)
            // What another disk has sent may come at any time, and ends this one: that is no part of this.
            peer.held.length = 0
            kept = store.image()
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

/** Digest of the head that a peer has. */
function lastHead(peer: { readonly store: ReturnType<typeof metaStore> }): string | undefined {
  const text = peer.store.image().meta.get(`kept state head ${nodeRing.statementAddress}`)
  if (text === undefined) return undefined
  return markOf(JSON.parse(text).head.statement.body).digest
}

describe('a node', () => {
  it('begins nothing before as many have answered as the settings ask for, and says so', async () => {
    const world = await headsWorld(3)
    const store = metaStore()
    for (const peer of world.peers.slice(1)) peer.silent = true
    const { heads } = world.start(store, { required: 2 })
    await heads.confirm()
    expect(heads.confirmed()).toBe(false)
    expect(heads.reasons()).toEqual([expect.stringContaining('PEERS_SILENT: 1 of 2')])
    const putOff = { code: 'HEADS_NOT_KEPT' }
    await expect(heads.cover()).rejects.toMatchObject(putOff)
    await heads.round()
    for (const peer of world.peers) peer.silent = false
    world.clock.now += 3
    await heads.round()
    expect([heads.confirmed(), heads.reasons(), heads.notes()]).toEqual([true, [], []])
    await heads.cover()
    expect(heads.figures()).toEqual({
      state_head_peers_silent: 0,
      state_head_peers_current: 3,
      state_commits_unseen: 0,
      state_head_conflicts: 0,
    })
  })

  it('begins without them where the settings ask for none, and says who is silent', async () => {
    const world = await headsWorld(1)
    const [peer] = world.peers
    if (peer === undefined) throw new Error('there is no peer')
    peer.silent = true
    const { heads } = world.start(metaStore(), { required: 0 })
    await heads.confirm()
    await heads.cover()
    expect([heads.confirmed(), heads.reasons()]).toEqual([true, []])
    expect(heads.notes()).toEqual([expect.stringContaining(peer.ring.statementAddress)])
    expect(heads.figures()['state_head_peers_silent']).toBe(1)
  })

  it('has a charge seen by as many as the settings ask for before its job reads anything', async () => {
    const world = await headsWorld(2)
    const store = metaStore()
    const { heads } = world.start(store, { required: 2 })
    await heads.cover()
    await store.charge(headsPool)
    const [, second] = world.peers
    if (second === undefined) throw new Error('there is no second peer')
    second.silent = true
    await expect(heads.cover()).rejects.toMatchObject({ code: 'HEADS_NOT_KEPT', retryAfter: 2 })
    second.silent = false
    world.clock.now += 3
    await heads.cover()
    const version = store.head().version
    // Nothing has changed since: nobody is told again.
    await heads.cover()
    expect(store.head().version).toBe(version)
  })

  it('tells at its pace in between, and at once what a job waits for', async () => {
    const world = await headsWorld(1)
    const store = metaStore()
    const { heads } = world.start(store, { required: 0 })
    await work(store)
    await heads.round()
    const told = () => heads.figures()['state_head_peers_current'] === 1 && store.head().version
    expect(told()).toBe(2)
    await work(store)
    await heads.round()
    expect(store.head().version).toBe(3)
    world.clock.now += 60
    await heads.round()
    expect(store.head().version).toBe(4)
    await heads.round()
    world.clock.now += 600
    await heads.round()
    expect(store.head().version).toBe(4)
    await work(store)
    expect(heads.figures()['state_commits_unseen']).toBe(1)
    await heads.cover()
    await heads.round()
    expect(store.head().version).toBe(6)
  })

  it('tells nothing while another one may speak for its key, or before it is confirmed', async () => {
    const world = await headsWorld(2)
    const store = metaStore()
    let listed = false
    const { heads } = world.start(store, { mayTell: async () => listed })
    await work(store)
    await heads.round()
    await expect(heads.cover()).rejects.toMatchObject({ code: 'HEADS_NOT_KEPT' })
    expect(store.head().version).toBe(1)
    listed = true
    for (const peer of world.peers) peer.silent = true
    const { heads: unconfirmed } = world.start(store)
    await unconfirmed.round()
    expect(store.head().version).toBe(1)
  })

  it('goes on after a head that was sent and not answered, whether it had come there or not', async () => {
    for (const lost of ['silent', 'loses'] as const) {
      const world = await headsWorld(1)
      const [peer] = world.peers
      if (peer === undefined) throw new Error('there is no peer')
      const store = metaStore()
      const { heads } = world.start(store)
      await heads.cover()
      await work(store)
      peer[lost] = true
      await expect(heads.cover()).rejects.toMatchObject({ code: 'HEADS_NOT_KEPT' })
      peer[lost] = false
      const again = world.start(metaStore(store.image()))
      await again.heads.confirm()
      await again.heads.cover()
      world.clock.now += 3
      await again.heads.cover()
    }
  })

  it('is not stopped by a head that comes to a slow peer after the next one was sent', async () => {
    const world = await headsWorld(1)
    const [peer] = world.peers
    if (peer === undefined) throw new Error('there is no peer')
    const store = metaStore()
    const { heads, over } = world.start(store)
    await heads.cover()
    for (const late of [0, 1, 2]) {
      peer.slow = true
      for (let times = 0; times < 3; times += 1) {
        await work(store)
        await expect(heads.cover()).rejects.toMatchObject({ code: 'HEADS_NOT_KEPT' })
        world.clock.now += 1_000
      }
      peer.slow = false
      // What was sent first, in the middle or last comes in the end, and the others to no effect.
      await peer.held[late]?.()
      for (const one of peer.held.splice(0)) await one()
      const again = world.start(metaStore(store.image()))
      await again.heads.confirm()
      expect(again.heads.confirmed()).toBe(true)
      await heads.cover()
      expect(over).toEqual([])
    }
  })

  it('is stopped by nobody’s signature but its own, however new a version is named', async () => {
    const world = await headsWorld(2)
    const [liar] = world.peers
    if (liar === undefined) throw new Error('there is no peer')
    const head = { line: 9, version: 999_999, state: digestOfDigit('1'), budgets: [] }
    const forged = signStateHead(signerOf(ringOf(5)), head)
    liar.says = { state: 'known', head: JSON.parse(JSON.stringify(forged.signed)), conflict: null }
    const { heads } = world.start(metaStore())
    await heads.confirm()
    expect(heads.confirmed()).toBe(true)
    expect(world.errors).toEqual(['PEER_ANSWER_INVALID'])
    for (const says of [{ state: 'refused', reason: 'NOT_NAMED' }, { state: 'known' }, []]) {
      liar.says = says
      world.errors.length = 0
      const { heads: next } = world.start(metaStore(), { required: 2 })
      await next.confirm()
      expect(next.confirmed()).toBe(false)
      expect(world.errors).toHaveLength(1)
    }
  })

  it('tells a peer anew that has lost what it kept, and is not stopped by what that one has from before', async () => {
    const world = await headsWorld(1)
    const [peer] = world.peers
    if (peer === undefined) throw new Error('there is no peer')
    let store = metaStore()
    let { heads } = world.start(store)
    const before = peer.store.image()
    await heads.cover()
    const early = peer.store.image()
    for (const image of [before, early]) {
      await work(store)
      await heads.cover()
      const newest = peer.store.image()
      await peer.reopen(image)
      const disk = metaStore(store.image())
      const again = world.start(disk)
      await again.heads.confirm()
      expect(again.heads.confirmed()).toBe(true)
      expect(world.errors.splice(0)).toContain('HEAD_NOT_KEPT')
      await work(disk)
      peer.silent = true
      await expect(again.heads.cover()).rejects.toMatchObject({ code: 'HEADS_NOT_KEPT' })
      peer.silent = false
      // It finds its own newest copy again: what it had taken before is no other state.
      await peer.reopen(newest)
      store = metaStore(disk.image())
      heads = world.start(store).heads
      world.clock.now += 1_000
      await heads.confirm()
      expect(heads.confirmed()).toBe(true)
    }
  })
})
