import { createSimulator } from '@sealpool/attest/simulator'
import { platformRandom } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import { simulatedGpuRules } from '../evidence/simulated-gpus.js'
import { configDigest, parseNodeConfig } from './node-config.js'

const address = (digit: string): string => `0x${digit.repeat(40)}`
const contracts = [
  'protocolToken',
  'nodeRegistry',
  'dataRegistry',
  'contributionBatches',
  'jobBoard',
  'permissions',
  'approvals',
  'poolFactory',
]
const settings = (change: object = {}): object => ({
  format: 'sealpool/node-config',
  version: 1,
  dataDirectory: '/data',
  chain: {
    rpcUrl: 'http://127.0.0.1:8545',
    deployment: {
      chainId: 31_337,
      blockNumber: 3,
      ...Object.fromEntries(contracts.map((name) => [name, address('1')])),
    },
  },
  evidence: { provider: 'simulator' },
  keyRelease: { adapter: 'development' },
  blobStore: { kind: 'files', directory: '/blobs' },
  pools: [],
  serveHandOff: {},
  ...change,
})
const refusal = (input: unknown): NodeError => {
  try {
    parseNodeConfig(input)
  } catch (error) {
    if (error instanceof NodeError) return error
  }
  throw new Error('it was accepted')
}

describe('settings of GPUs', () => {
  it('are absent by default, and measured where they are there', () => {
    const of = (evidence: object) => configDigest(parseNodeConfig(settings({ evidence })))
    const digests = [{}, { gpus: { devices: 1 } }, { gpus: { devices: 2 } }].map((one) =>
      of({ provider: 'simulator', ...one }),
    )
    expect(new Set(digests).size).toBe(3)
    expect(parseNodeConfig(settings()).evidence).not.toHaveProperty('gpus')
  })

  it('are refused of a machine that cannot record them, and without a number', () => {
    const evidence = { provider: 'configfs-tsm', gpus: { devices: 1 } }
    expect(refusal(settings({ evidence })).message).toContain('evidence.gpus')
    for (const devices of [0, 65, 1.5])
      expect(refusal(settings({ evidence: { provider: 'dstack', gpus: { devices } } })).message).toContain(
        'evidence.gpus.devices',
      )
  })
})

describe('settings of hand-offs', () => {
  const nodes = ['https://runner.example']
  it('have rules for GPUs, which are measured, or none', () => {
    const { policy, keys } = simulatedGpuRules(createSimulator({ random: platformRandom, at: new Date() }))
    const handOff = { nodes, gpu: { policy, keys } }
    expect(parseNodeConfig(settings({ handOff })).handOff?.gpu).toEqual({ policy, keys })
    const stricter = { ...policy, gpu: { minimumDevices: 8 } }
    const digests = [{ nodes }, handOff, { nodes, gpu: { policy: stricter, keys } }].map((one) =>
      configDigest(parseNodeConfig(settings({ handOff: one }))),
    )
    expect(new Set(digests).size).toBe(3)
    const { gpu: _, ...without } = policy
    for (const [gpu, place] of [
      [{ policy: without, keys }, 'handOff.gpu.policy'],
      [{ policy: 'any', keys }, 'handOff.gpu.policy'],
      [{ policy, keys: [] }, 'handOff.gpu.keys'],
      [{ policy }, 'handOff.gpu.keys'],
    ] as const)
      expect(refusal(settings({ handOff: { nodes, gpu } })).message).toContain(place)
  })
})
