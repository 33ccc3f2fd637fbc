import { type AppraisedGpus, type AttestationPolicy, parseAttestationPolicy } from '@sealpool/attest'
import { type GuestGpuRules, gpuLimitNames } from '@sealpool/attest/platform-evidence'
import type { JsonObject } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { NodeError } from '../errors.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { StateStore } from '../state/state-store.js'
import { handOffManifest, measurement, policyJson, runnerKeys } from '../testing/hand-off-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { runnerLines } from './runner-lines.js'

const usual = policyJson['attestation'] as JsonObject
const stricter = { ...usual, maximumAgeSeconds: 60 }
const url = 'https://runner.example'
const peer: AttestedPeer = {
  url,
  statementAddress: runnerKeys.statementAddress,
  keySet: runnerKeys.keySet,
  keySetDigest: runnerKeys.keySetDigest,
  measurement,
  simulated: true,
}
/** A state that knows no job, or one over these pools. */
const storeOf = (pools?: readonly string[]) => {
  const row = {
    ...{ id: '1', consumer: 'x', manifest_digest: 'x', locator: 'x', pools: JSON.stringify(pools) },
    ...{ chain_state: 'Running', approvals: '[]', state: 'running', attempts: 0 },
  }
  return { query: async () => (pools === undefined ? [] : [row]) } as unknown as StateStore
}
const visit = (policies: readonly unknown[] = [usual], manifest: object = handOffManifest()) =>
  ({
    manifest,
    planned: { charges: policies.map((attestation) => ({ pool: { policy: { attestation } } })) },
  }) as unknown as Parameters<ReturnType<typeof runnerLines>['reach']>[1]

/** @param peerOf what a node turns out to be, by the maximum age that its policy allows */
function lines(
  peerOf: (url: string, age: number) => AttestedPeer = () => peer,
  store = storeOf(),
  gpu?: GuestGpuRules,
) {
  const demanded: unknown[] = []
  const attested: AttestationPolicy[] = []
  const clock = { seconds: 1_000 }
  const pool = addressOfDigit('a')
  return {
    attested,
    demanded,
    clock,
    pool,
    ...runnerLines({
      store,
      now: () => clock.seconds,
      nodes: [url],
      policies: new Map([[pool, { attestation: stricter }]]),
      ...(gpu === undefined ? {} : { gpu }),
      attest: async (asked, policy, gpus) => {
        attested.push(policy)
        demanded.push(gpus)
        return peerOf(asked, policy.maximumAgeSeconds)
      },
      call: () => async () => ({ status: 200, body: null }),
    }),
  }
}
const refused = expect.objectContaining({ code: 'PEER_NOT_ATTESTED' }) as unknown

describe('a line to a runner', () => {
  it('is attested for something new however lately that was, and for what was begun once a minute', async () => {
    const { attested, clock, reach } = lines()
    const first = await reach(url, visit(), false)
    expect(first).toMatchObject({ peer, until: 1_060 })
    await reach(url, visit(), false)
    expect(attested).toHaveLength(2)
    clock.seconds += 59
    await reach(url, visit(), true)
    expect(attested).toHaveLength(2)
    clock.seconds += 1
    await reach(url, visit(), true)
    expect(attested).toHaveLength(3)
  })

  it('is held for its own policies and address alone', async () => {
    const { attested, reach } = lines()
    await reach(url, visit(), true)
    await reach(url, visit([stricter]), true)
    await reach('https://other.example', visit(), true)
    await reach(url, visit(), true)
    expect(attested).toHaveLength(3)
  })

  it('is attested under the policy of every pool, each once, and under the manifest’s measurements instead of theirs', async () => {
    const { attested, reach } = lines()
    await reach(url, visit([usual, stricter, usual]), false)
    expect(attested.map(({ maximumAgeSeconds }) => maximumAgeSeconds)).toEqual([86_400, 60])
    attested.length = 0
    await reach(
      url,
      visit([{ ...usual, measurements: [{ name: 'x', mrTd: `0x${'ab'.repeat(48)}` }] }]),
      false,
    )
    expect(attested).toEqual([parseAttestationPolicy(usual)])
  })

  it('is none to a node that changed its keys while it was attested', async () => {
    const { reach } = lines((_, age) => (age === 60 ? { ...peer, keySetDigest: digestOfDigit('0') } : peer))
    await expect(reach(url, visit([usual, stricter]), false)).rejects.toEqual(refused)
    await reach(url, visit([usual]), false)
  })

  it('is none for a job without pools, nor under a policy that cannot be read', async () => {
    await expect(lines().reach(url, visit([]), false)).rejects.toEqual(refused)
    const { attested, reach } = lines()
    await expect(reach(url, visit([{ format: 'x' }]), false)).rejects.toEqual(refused)
    expect(attested).toEqual([])
  })

  it('is none for a manifest that does not name its measurement, also to a node that is held', async () => {
    const { reach } = lines()
    const other = handOffManifest({ measurements: [`0x${'77'.repeat(32)}`] })
    const { handOff: _, ...without } = handOffManifest()
    await reach(url, visit(), false)
    for (const begun of [false, true])
      for (const manifest of [other, without])
        await expect(reach(url, visit([usual], manifest), begun)).rejects.toEqual(refused)
  })

  it('is none for a manifest that demands GPUs which the node has not proved, or nobody can judge', async () => {
    const rules = { policy: { format: 'sealpool/platform-policy', version: 1 }, keys: [] } as const
    const shown = (devices: number): AppraisedGpus => ({
      confidentialComputing: 'on',
      developerTools: 'off',
      devices,
      policy: digestOfDigit('1'),
      limits: [...gpuLimitNames],
    })
    const four = handOffManifest({ gpu: { minimumDevices: 4 } })
    const missing = expect.objectContaining({ code: 'PEER_GPUS_NOT_PROVED' }) as unknown
    const unjudged = lines(() => ({ ...peer, gpu: shown(4) }))
    await expect(unjudged.reach(url, visit([usual], four), false)).rejects.toEqual(missing)
    expect(unjudged.attested).toEqual([])
    for (const one of [peer, { ...peer, gpu: shown(3) }]) {
      const { reach } = lines(() => one, storeOf(), rules)
      for (const begun of [false, true])
        await expect(reach(url, visit([usual], four), begun)).rejects.toEqual(missing)
    }
    const { reach, demanded } = lines(() => ({ ...peer, gpu: shown(4) }), storeOf(), rules)
    // Attested without GPUs, for another job: that line is no line for this one.
    await reach(url, visit(), true)
    const reached = await reach(url, visit([usual], four), true)
    expect(reached.peer.gpu?.devices).toBe(4)
    await reach(url, visit([usual], handOffManifest({ gpu: { minimumDevices: 1 } })), true)
    expect(demanded).toEqual([undefined, { rules, minimumDevices: 4 }, { rules, minimumDevices: 1 }])
  })

  it('is forgotten by the address that was attested', async () => {
    const { attested, reach, forget } = lines((asked) => ({ ...peer, url: asked }))
    await reach(url, visit(), true)
    forget('https://other.example')
    await reach(url, visit(), true)
    expect(attested).toHaveLength(1)
    forget(url)
    await reach(url, visit(), true)
    expect(attested).toHaveLength(2)
  })
})

describe('a line to a node that had a transfer', () => {
  const left = { id: '1', url, keySet: runnerKeys.keySetDigest }

  it('is the one that is held to its keys, whatever its address', async () => {
    const { attested, reach, lineOf } = lines()
    const { line } = await reach(url, visit(), false)
    expect(await lineOf('1', left)).toBe(line)
    expect(await lineOf('1', { ...left, url: 'https://gone.example' })).toBe(line)
    expect(attested).toHaveLength(1)
  })

  it('is none to an address that the settings do not name, and nobody is asked', async () => {
    const { attested, lineOf } = lines()
    expect(await lineOf('1', { ...left, url: 'https://gone.example' })).toBeUndefined()
    expect(attested).toEqual([])
  })

  it('is attested anew after a restart, under the policies of the job’s pools as they stand on the chain', async () => {
    const pool = addressOfDigit('a')
    const { attested, lineOf } = lines(() => peer, storeOf([pool]))
    expect(await lineOf('1', left)).toBeDefined()
    expect(attested.map(({ maximumAgeSeconds }) => maximumAgeSeconds)).toEqual([60])
  })

  it('is none for a job that is gone, or whose pool the settings do not serve', async () => {
    await expect(lines().lineOf('1', left)).rejects.toEqual(refused)
    const foreign = lines(() => peer, storeOf([addressOfDigit('c')]))
    await expect(foreign.lineOf('1', left)).rejects.toBeInstanceOf(Error)
    expect(foreign.attested).toEqual([])
  })

  it('is none while the node is away', async () => {
    const away = new NodeError('NODE_UNREACHABLE', url, 'no answer')
    const { lineOf } = lines(
      () => {
        throw away
      },
      storeOf([addressOfDigit('a')]),
    )
    await expect(lineOf('1', left)).rejects.toBe(away)
  })
})
