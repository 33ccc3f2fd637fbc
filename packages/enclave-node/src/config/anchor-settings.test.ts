import { defaultAttestationPolicy } from '@sealpool/attest'
import { describe, expect, it } from 'vitest'
import { settingsWith } from '../testing/settings.js'
import { configDigest, measuredConfig, parseNodeConfig } from './node-config.js'

const node = (digit: string) => ({
  address: `0x${digit.repeat(40)}`,
  url: `https://${digit.toLowerCase()}.example/`,
})
const given = (anchors: unknown, change: object = {}) =>
  settingsWith({ anchors, peers: { evidencePolicy: defaultAttestationPolicy }, ...change })
const both = { nodes: [node('A'), node('b')], required: 1 }
const refused = (place: string) =>
  expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(place) })

describe('settings of heads at other nodes', () => {
  it('are absent by default, and then change nobody’s keys', () => {
    const config = parseNodeConfig(settingsWith())
    expect(config.anchors).toBeNull()
    expect(Object.keys(measuredConfig(config))).not.toContain('anchors')
  })

  it('name who remembers and who is remembered, and how many must have answered: nobody is chosen for the operator', () => {
    const { anchors } = parseNodeConfig(given({ peers: both, keeps: [node('c')] }))
    expect(anchors).toEqual({
      peers: {
        nodes: [
          { address: node('a').address, url: 'https://a.example' },
          { address: node('b').address, url: 'https://b.example' },
        ],
        required: 1,
        seconds: 60,
      },
      keeps: [{ address: node('c').address, url: 'https://c.example' }],
    })
    expect(() => parseNodeConfig(given({ peers: { nodes: both.nodes } }))).toThrow(
      refused('anchors.peers.required'),
    )
  })

  it('are refused with more answers than nodes, with one node twice, and without rules for evidence', () => {
    for (const [anchors, place] of [
      [{ peers: { ...both, required: 3 } }, 'anchors.peers.required'],
      [{ peers: { ...both, required: -1 } }, 'anchors.peers.required'],
      [{ peers: { ...both, nodes: [] } }, 'anchors.peers.nodes'],
      [{ peers: { ...both, nodes: [node('a'), node('A')] } }, 'anchors.peers.nodes'],
      [{ keeps: [node('a'), node('A')] }, 'anchors.keeps'],
      [{ keeps: [{ ...node('a'), url: 'ftp://a.example' }] }, 'anchors.keeps.0.url'],
    ] as const)
      expect(() => parseNodeConfig(given(anchors))).toThrow(refused(place))
    for (const anchors of [{ peers: both }, { keeps: [node('c')] }])
      expect(() => parseNodeConfig(given(anchors, { peers: null }))).toThrow(refused('peers.evidencePolicy'))
  })

  it('are measured by whom they name, not by where or in which order', () => {
    const digestOf = (anchors: unknown) => configDigest(parseNodeConfig(given(anchors)))
    const usual = digestOf({ peers: both, keeps: [node('c'), node('d')] })
    const moved = { address: node('A').address, url: 'https://elsewhere.example' }
    expect(digestOf({ peers: { ...both, nodes: [node('b'), moved] }, keeps: [node('d'), node('c')] })).toBe(
      usual,
    )
    for (const other of [
      { peers: { ...both, required: 2 }, keeps: [node('c'), node('d')] },
      { peers: { ...both, seconds: 61 }, keeps: [node('c'), node('d')] },
      { peers: { ...both, nodes: [node('a')] }, keeps: [node('c'), node('d')] },
      { peers: both, keeps: [node('c')] },
      { peers: both },
      { keeps: [node('c'), node('d')] },
      null,
    ])
      expect(digestOf(other)).not.toBe(usual)
  })

  it('are work enough for a node without pools that remembers others', () => {
    const alone = (anchors: unknown) => () => parseNodeConfig(given(anchors, { pools: [] }))
    expect(alone({ keeps: [node('c')] })).not.toThrow()
    expect(alone({ peers: both })).toThrow(refused('anchors.keeps'))
  })
})
