import { digestOf, type JsonObject } from '@sealpool/crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ChainNode } from '../chain/chain-port.js'
import { setMeta } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from '../testing/memory-store.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { noteHandOver, noteListed, placeOfKeys, readHandOvers } from './moved-keys.js'
import { otherRules } from './same-rules.js'

const open = memoryStores()
const [own, successor, asker, third] = ['1', '2', '3', '4'].map(digestOfDigit) as [
  `sha256:${string}`,
  `sha256:${string}`,
  `sha256:${string}`,
  `sha256:${string}`,
]
const mine = '0xaa'
const record = (keySet: `sha256:${string}`, measurement: `0x${string}` = '0xbb'): ChainNode => ({
  keySetDigest: keySet,
  measurement,
  active: true,
})
let store: StateStore
beforeEach(async () => {
  store = await open()
  await migrate(store)
  return () => store.close()
})
const place = (listed: ChainNode | null) =>
  placeOfKeys(store, { keySetDigest: own, measurement: mine, record: listed })

describe('the keys of a node', () => {
  it('are here when nothing is known against it, whatever the registry lists before it was ever listed', async () => {
    expect(await place(null)).toBe('here')
    expect(await place(record(own, mine))).toBe('here')
    // An upgraded node with its predecessor's keys, before it is registered.
    expect(await place(record(third))).toBe('here')
  })

  it('are leaving once they were handed over, and gone when the registry lists the successor', async () => {
    await noteHandOver(store, { by: own, asker, successor })
    expect(await place(record(own, mine))).toBe('leaving')
    expect(await place(null)).toBe('leaving')
    expect(await place(record(successor, mine))).toBe('gone')
    // The successor itself, on the same state.
    const theirs = { keySetDigest: successor, measurement: '0xbb', record: record(successor) }
    expect(await placeOfKeys(store, theirs)).toBe('here')
  })

  it('are gone as well when this state is older than the hand-over: other code has the key that was its own', async () => {
    await noteListed(store, own)
    await noteListed(store, own)
    expect(await place(record(third))).toBe('gone')
    expect(await place(record(own, mine))).toBe('here')
    // The same code under other settings is no successor: it may be registered anew under these.
    expect(await place(record(third, mine))).toBe('here')
  })

  it('are handed over once for each asker and successor, and a state that cannot be read is not taken for none', async () => {
    await noteHandOver(store, { by: own, asker, successor })
    await noteHandOver(store, { by: own, asker, successor })
    await noteHandOver(store, { by: own, asker: third, successor: third })
    expect(await readHandOvers(store)).toEqual([
      { by: own, asker, successor },
      { by: own, asker: third, successor: third },
    ])
    // However many they are: what was written is read.
    const many = Array.from({ length: 1_001 }, (_, index) => digestOf(index))
    await setMeta(store, 'key sets listed', JSON.stringify(many))
    const notes = many.map((one) => ({ by: one, asker, successor: one }))
    await setMeta(store, 'keys handed over', JSON.stringify(notes))
    await noteListed(store, own)
    expect(await readHandOvers(store)).toHaveLength(1_001)
    expect(await place(null)).toBe('here')
    await setMeta(store, 'keys handed over', '[{}]')
    await expect(place(null)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
  })
})

describe('the rules of a successor', () => {
  const settings: JsonObject = {
    chain: { confirmations: 1 },
    pools: ['a'],
    keyRelease: { adapter: 'dstack' },
    evidence: { provider: 'dstack' },
  }
  it('are the same but for where keys and quotes come from, and which node of the key it is', () => {
    const other = { ...settings, evidence: { provider: 'configfs-tsm' }, instance: 'b', keyRecovery: 'none' }
    expect(otherRules(settings, other)).toBeUndefined()
    expect(otherRules(settings, { ...settings, keyRelease: { adapter: 'peers' } })).toBeUndefined()
  })

  it('may lie open where they lay open before', () => {
    const open_ = { ...settings, keyRelease: { adapter: 'development' } }
    const sealed = { ...settings, keyRelease: { adapter: 'sealed', sealer: 'simulated' } }
    expect(otherRules(open_, sealed)).toBeUndefined()
  })

  it.each([
    ['another chain', { chain: { confirmations: 0 } }, 'chain'],
    ['other pools', { pools: ['a', 'b'] }, 'pools'],
    ['a setting more', { more: 1 }, 'more'],
    ['a root that lies open', { keyRelease: { adapter: 'development' } }, 'its operator can read it'],
    [
      'a root under a simulated seal',
      { keyRelease: { adapter: 'sealed', sealer: 'simulated' } },
      'its operator can read it',
    ],
    ['no key release', { keyRelease: 7 }, 'its operator can read it'],
  ])('with %s are others', (_, change, why) => {
    const other = { ...settings, ...change } as JsonObject
    expect(digestOf(other)).not.toBe(digestOf(settings))
    expect(otherRules(settings, other)).toContain(why)
  })

  it('with a setting less are others', () => {
    const { pools: _, ...less } = settings
    expect(otherRules(settings, less)).toContain('pools')
  })
})
