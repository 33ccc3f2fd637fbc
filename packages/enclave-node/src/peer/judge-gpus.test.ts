import { type GpuEvidence, parseNodeEvidence } from '@sealpool/attest'
import { type GpuMode, gpuLimitNames, platformPolicyDigest } from '@sealpool/attest/platform-evidence'
import { createSimulator } from '@sealpool/attest/simulator'
import { type Hex, platformRandom } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  confidentialMode,
  gpuServiceOf,
  simulatedGpuRules,
  simulatedGpus,
} from '../evidence/simulated-gpus.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import type { StateStore } from '../state/state-store.js'
import { listedNodes, peerNode, simulatorPolicy } from '../testing/peer-node.js'
import { attestPeer } from './attest-peer.js'

const simulator = createSimulator({ random: platformRandom, at: new Date() })
const rules = simulatedGpuRules(simulator)
const url = 'https://peer.example'
const now = () => Math.floor(Date.now() / 1000)
const gpusOf = (...recorded: GpuMode[]) => simulatedGpus(gpuServiceOf(simulator), recorded, () => new Date())
let store: StateStore
beforeAll(async () => {
  store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
})
afterAll(() => store.close())

/** A peer that has these GPUs, or shows these instead. */
async function peerWith(
  gpus: ReturnType<typeof gpusOf> | undefined,
  shows: (gpu: GpuEvidence | undefined, nonce: Hex) => Promise<GpuEvidence | undefined> = async (gpu) => gpu,
) {
  const asked: boolean[] = []
  const peer: Awaited<ReturnType<typeof peerNode>> = await peerNode({
    simulator,
    store,
    url,
    ...(gpus === undefined ? {} : { gpus }),
    service: {
      evidence: async (nonce, given) => {
        if (nonce === undefined) throw new Error('a nonce is asked for')
        asked.push(given.gpus)
        const evidence = await peer.evidence.fresh(nonce, given)
        if (evidence.tee !== 'tdx') throw new Error('the simulator is of TDX')
        const { gpu, ...without } = evidence
        const shown = await shows(gpu, nonce)
        return shown === undefined ? without : { ...without, gpu: shown }
      },
    },
  })
  peer.world.clock.seconds = now()
  const chain = listedNodes()
  peer.register(chain)
  const attest = (minimumDevices: number | undefined, change: object = {}) =>
    attestPeer({
      url,
      chain,
      evidencePolicy: simulatorPolicy(simulator),
      simulated: true,
      random: platformRandom,
      now,
      timeoutMs: 5_000,
      fetch: peer.fetch,
      gpus: minimumDevices === undefined ? undefined : { rules, minimumDevices },
      ...change,
    })
  return { peer, asked, attest }
}
const refused = (why: RegExp) => ({
  code: 'PEER_GPUS_NOT_PROVED',
  place: url,
  message: expect.stringMatching(why) as string,
})
const good = () => gpusOf(confidentialMode(2))

describe('the GPUs of a peer', () => {
  it('are proved over the home’s own nonce, with what that does not prove', async () => {
    const { attest, asked } = await peerWith(good())
    expect((await attest(2)).gpu).toEqual({
      confidentialComputing: 'on',
      developerTools: 'off',
      devices: 2,
      policy: platformPolicyDigest(rules.policy),
      limits: gpuLimitNames,
    })
    expect(asked).toEqual([true])
  })

  it('are not asked for where nobody demands them: the peer is attested as ever', async () => {
    const { attest, asked } = await peerWith(good())
    expect(await attest(undefined)).not.toHaveProperty('gpu')
    expect(asked).toEqual([false])
    expect(await (await peerWith(undefined)).attest(undefined)).not.toHaveProperty('gpu')
  })

  it('are missing: a peer without any', async () => {
    const { attest } = await peerWith(undefined)
    await expect(attest(1)).rejects.toMatchObject(refused(/shows no evidence of GPUs/))
  })

  it.each<[string, readonly GpuMode[], RegExp]>([
    ['developers’ tools on', [{ ...confidentialMode(2), developerTools: 'on' }], /developers’ tools/],
    ['confidential computing off', [{ ...confidentialMode(2), confidentialComputing: 'off' }], /is off/],
    ['set anew after the first record', [confidentialMode(2), confidentialMode(2)], /more than once/],
    ['fewer than demanded', [confidentialMode(1)], /asks for 2/],
  ])('are refused: %s', async (_, recorded, why) => {
    const { attest } = await peerWith(gpusOf(...recorded))
    await expect(attest(2)).rejects.toMatchObject(refused(why))
  })

  it('are refused with fewer than this node’s own rules ask for, whatever the manifest says', async () => {
    const { attest } = await peerWith(good())
    const strict = { ...rules, policy: { ...rules.policy, gpu: { minimumDevices: 3 } } }
    await expect(attest(1, { gpus: { rules: strict, minimumDevices: 1 } })).rejects.toMatchObject(
      refused(/asks for 3/),
    )
  })

  it('are refused when they answered another nonce: an older boot’s, another guest’s', async () => {
    const gpus = good()
    const elsewhere = await gpus.evidence(new Uint8Array(64).fill(5))
    const replayed = await peerWith(gpus, async () => elsewhere)
    await expect(replayed.attest(2)).rejects.toMatchObject(refused(/nonce/))
    const log = await gpusOf(confidentialMode(3)).evidence(new Uint8Array(64))
    const foreign = await peerWith(gpus, async (gpu) => gpu && { ...gpu, eventLog: log.eventLog })
    await expect(foreign.attest(2)).rejects.toMatchObject(refused(/log/i))
  })

  it('are refused when the registers do not hold what the log says of them', async () => {
    const off = gpusOf({ ...confidentialMode(2), developerTools: 'on' })
    const liar = await peerWith(off, async (gpu) => {
      const { eventLog } = await good().evidence(new Uint8Array(64))
      return gpu && { ...gpu, eventLog }
    })
    await expect(liar.attest(2)).rejects.toMatchObject(refused(/RTMR3|log/i))
  })

  it('are refused by a service that the rules do not name, or of another app', async () => {
    const { attest } = await peerWith(good())
    const other = createSimulator({ random: platformRandom, at: new Date() })
    const { keys } = simulatedGpuRules(other)
    await expect(attest(2, { gpus: { rules: { ...rules, keys }, minimumDevices: 2 } })).rejects.toMatchObject(
      refused(/not-proved/),
    )
    const { dstack } = rules.policy
    if (dstack === undefined) throw new Error('the rules name a guest')
    const policy = { ...rules.policy, dstack: { ...dstack, apps: [] } }
    await expect(
      attest(2, { gpus: { rules: { ...rules, policy }, minimumDevices: 2 } }),
    ).rejects.toMatchObject(refused(/compose hash/))
  })

  it('are refused when what is shown cannot be read, without a word of it', async () => {
    for (const name of ['eventLog', 'token'] as const) {
      const { attest } = await peerWith(good(), async (gpu) => gpu && { ...gpu, [name]: '["private"' })
      await expect(attest(2)).rejects.toMatchObject(refused(/cannot be read/))
      await expect(attest(2)).rejects.not.toThrow(/private/)
    }
  })

  it('of a simulator are refused by the rules for hardware alone', async () => {
    const { attest } = await peerWith(good())
    const { dstack } = rules.policy
    if (dstack === undefined) throw new Error('the rules name a guest')
    const hardware = { ...dstack.hardware, allowSimulator: false }
    const policy = { ...rules.policy, dstack: { ...dstack, hardware } }
    await expect(
      attest(2, { gpus: { rules: { ...rules, policy }, minimumDevices: 2 } }),
    ).rejects.toMatchObject(refused(/not-allowed|simulat/i))
  })

  it('are refused of a machine that the rules do not measure', async () => {
    const { attest } = await peerWith(good())
    const { dstack } = rules.policy
    if (dstack === undefined) throw new Error('the rules name a guest')
    const measurements = [{ name: 'another', mrTd: `0x${'09'.repeat(48)}` as const }]
    const policy = { ...rules.policy, dstack: { ...dstack, hardware: { ...dstack.hardware, measurements } } }
    await expect(
      attest(2, { gpus: { rules: { ...rules, policy }, minimumDevices: 2 } }),
    ).rejects.toMatchObject(refused(/measurement/))
  })

  it('stand in the evidence in its one form, and in the registered one never', async () => {
    const { peer } = await peerWith(good())
    const nonce = `0x${'5a'.repeat(32)}` as const
    const fresh = await peer.evidence.fresh(nonce, { gpus: true })
    expect(parseNodeEvidence(JSON.parse(JSON.stringify(fresh)))).toEqual(fresh)
    expect(Object.keys(fresh)).toContain('gpu')
    expect(Object.keys(await peer.evidence.registered())).not.toContain('gpu')
  })
})
