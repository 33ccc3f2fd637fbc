import { describe, expect, it } from 'vitest'
import { settingsWith } from '../testing/settings.js'
import { configDigest, measuredConfig, parseNodeConfig } from './node-config.js'

const settings = settingsWith() as { readonly pools: readonly object[] }
const live = (change: object = {}, pool: object = {}) =>
  parseNodeConfig({ ...settings, pools: [{ ...settings.pools[0], keep: 'live', ...pool }], ...change })
const here = parseNodeConfig(settings)

describe('what a pool keeps, as a setting', () => {
  it('is all of it unless it says otherwise, with the digest that such settings always had', () => {
    expect(here.pools[0]?.keep).toBe('escrow')
    expect(
      configDigest(parseNodeConfig({ ...settings, pools: [{ ...settings.pools[0], keep: 'escrow' }] })),
    ).toBe(configDigest(here))
    expect(JSON.stringify(measuredConfig(here))).not.toMatch(/keep"|ownCopies/)
  })

  it('is measured, so that nobody switches it unseen', () => {
    expect(configDigest(live())).not.toBe(configDigest(here))
    expect(measuredConfig(live())).toMatchObject({ pools: [{ keep: 'live' }] })
  })

  it.each<[string, object]>([
    ['patience', { patienceSeconds: 21 }],
    ['time of a job', { jobSeconds: 301 }],
    ['fetches at once', { atOnce: 9 }],
    ['networks', { privateNetworks: true }],
  ])('how owners’ stores are asked is measured: %s', (_, ownCopies) => {
    expect(configDigest(parseNodeConfig({ ...settings, ownCopies }))).not.toBe(configDigest(here))
  })

  it('has the same digest when the usual is written out', () => {
    const ownCopies = { patienceSeconds: 20, jobSeconds: 300, atOnce: 8, privateNetworks: false }
    expect(configDigest(parseNodeConfig({ ...settings, ownCopies }))).toBe(configDigest(here))
  })

  it.each<[string, object, object, RegExp]>([
    ['facts about its tables', {}, { facts: { epsilon: 1 } }, /pools\.0\.facts/],
    [
      'validators',
      {},
      {
        validators: {
          threshold: 2,
          nodes: [{ address: `0x${'d'.repeat(40)}`, url: 'https://judge.example' }],
        },
      },
      /pools\.0\.validators/,
    ],
    ['hand-offs', { handOff: { nodes: ['https://heavy.example'] } }, {}, /pools\.0\.keep/],
    [
      'other homes',
      {
        federation: {
          nodes: ['https://other.example'],
          pools: [{ address: `0x${'c'.repeat(40)}`, policy: {} }],
        },
        chain: { ...(settings as { chain?: object }).chain, anchors: `0x${'9'.repeat(40)}` },
      },
      {},
      /pools\.0\.keep/,
    ],
    ['another word', {}, { keep: 'both' }, /keep/],
  ])('a live pool goes with nothing that would keep its rows: %s', (_, change, pool, message) => {
    expect(() => live(change, pool)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(message) }),
    )
  })
})
