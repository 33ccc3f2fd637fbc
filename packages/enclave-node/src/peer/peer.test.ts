import { createSimulator } from '@sealpool/attest/simulator'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openKeyRing } from '../key/key-ring.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import type { StateStore } from '../state/state-store.js'
import { listedNodes, peerNode, quotesOf, simulatorPolicy } from '../testing/peer-node.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { type AttestPeerOptions, attestPeer } from './attest-peer.js'
import { callPeer, openPeer, type PeerPorts } from './call-peer.js'

const at = new Date()
const now = () => Math.floor(Date.now() / 1000)
const simulator = createSimulator({ random: platformRandom, at })
const url = 'https://peer.example'
let store: StateStore
let honest: Awaited<ReturnType<typeof peerNode>>
beforeAll(async () => {
  store = await openPgliteStore({ directory: 'memory' })
  await migrate(store)
  honest = await peerNode({ simulator, store, url })
  honest.world.clock.seconds = now()
})
afterAll(() => store.close())

/** Attests the honest peer, as far as nothing is changed. */
function attest(change: Partial<AttestPeerOptions> = {}, listed = true) {
  const chain = listedNodes()
  if (listed) honest.register(chain)
  return attestPeer({
    url: `${url}/`,
    chain,
    evidencePolicy: simulatorPolicy(simulator),
    simulated: true,
    random: platformRandom,
    now,
    timeoutMs: 5_000,
    fetch: honest.fetch,
    ...change,
  })
}
const refused = (why: RegExp) => ({
  code: 'PEER_NOT_ATTESTED',
  place: url,
  message: expect.stringMatching(why) as string,
})
const ports: PeerPorts = { chainId: 31_337, random: platformRandom, now, timeoutMs: 5_000 }

describe('a peer is attested', () => {
  it('when its evidence, its key set and its registration say the same', async () => {
    expect(await attest()).toEqual({
      url,
      statementAddress: honest.keys.statementAddress,
      keySet: honest.keys.keySet,
      keySetDigest: honest.keys.keySetDigest,
      measurement: honest.measurement,
      simulated: true,
    })
  })

  it('also when the policy lists its measurement besides', async () => {
    const mrTd = `0x${'51'.repeat(48)}` as const
    const evidencePolicy = { ...simulatorPolicy(simulator), measurements: [{ name: 'this', mrTd }] }
    expect((await attest({ evidencePolicy })).measurement).toBe(honest.measurement)
  })

  it('over a nonce that is drawn anew each time', async () => {
    const asked: string[] = []
    const fetch: typeof globalThis.fetch = (input, init) => {
      asked.push(String(input))
      return honest.fetch(input, init)
    }
    await attest({ fetch })
    await attest({ fetch })
    expect(new Set(asked).size).toBe(2)
  })
})

describe('a peer is refused', () => {
  it('with code that the chain never allowed, or does not allow any more', async () => {
    const mrTd = new Uint8Array(48).fill(9)
    const other = await peerNode({ simulator, store, url, mrTd })
    const chain = listedNodes()
    other.register(chain)
    const options = { chain, fetch: other.fetch }
    expect((await attest(options)).measurement).toBe(quotesOf(simulator, mrTd).measurement)
    chain.allowed.delete(other.measurement)
    await expect(attest(options)).rejects.toMatchObject(refused(/does not allow its measurement/))
  })

  it('with code that the policy does not list', async () => {
    const mrTd = `0x${'09'.repeat(48)}` as const
    const evidencePolicy = { ...simulatorPolicy(simulator), measurements: [{ name: 'other', mrTd }] }
    await expect(attest({ evidencePolicy })).rejects.toMatchObject(refused(/allows no measurement/))
  })

  it('when it runs other code than it is registered with', async () => {
    const chain = listedNodes()
    const measurement = `0x${'ab'.repeat(32)}` as const
    honest.register(chain, { measurement })
    chain.allowed.add(measurement)
    await expect(attest({ chain })).rejects.toMatchObject(refused(/other code than it runs/))
  })

  it('when nobody registered it, with another key set, or when its registration ended', async () => {
    await expect(attest({}, false)).rejects.toMatchObject(refused(/does not know it/))
    const chain = listedNodes()
    honest.register(chain, { keySetDigest: digestOfDigit('4') })
    await expect(attest({ chain })).rejects.toMatchObject(refused(/another key set/))
    honest.register(chain, { active: false })
    await expect(attest({ chain })).rejects.toMatchObject(refused(/not active/))
  })

  it('with evidence that was made for somebody else’s nonce', async () => {
    const chain = listedNodes()
    const stale = await peerNode({
      simulator,
      store,
      url,
      service: { evidence: async () => honest.evidence.fresh(`0x${'5a'.repeat(32)}`) },
    })
    honest.register(chain)
    await expect(attest({ chain, fetch: stale.fetch })).rejects.toMatchObject(refused(/nonce/))
  })

  it('behind a proxy that puts its own keys into the evidence, or has its own evidence for its own keys', async () => {
    const proxy = openKeyRing(platformRandom(32), digestOfDigit('1'))
    const swapped = await peerNode({
      simulator,
      store,
      url,
      service: {
        evidence: async (nonce) => ({
          ...(await honest.evidence.fresh(nonce ?? `0x${'00'.repeat(32)}`)),
          keySet: proxy.keySet,
        }),
      },
    })
    await expect(attest({ fetch: swapped.fetch })).rejects.toMatchObject(refused(/report data/))
    const own = await peerNode({ simulator, store, url })
    await expect(attest({ fetch: own.fetch })).rejects.toMatchObject(refused(/does not know it/))
  })

  it('on a simulator, by a node on hardware, whatever the policy says', async () => {
    await expect(attest({ simulated: false })).rejects.toMatchObject(refused(/SIMULATED|root/))
    const evidencePolicy = { ...simulatorPolicy(simulator), allowSimulator: false }
    await expect(attest({ evidencePolicy })).rejects.toMatchObject(refused(/SIMULATED|root/))
    const other = createSimulator({ random: platformRandom, at })
    await expect(attest({ evidencePolicy: simulatorPolicy(other) })).rejects.toMatchObject(refused(/root/))
  })

  it('with anything that is no evidence', async () => {
    for (const body of [{}, { format: 'sealpool/node-evidence' }, { simulated: true, tee: 'sev-snp' }])
      await expect(attest({ fetch: async () => Response.json(body) })).rejects.toMatchObject(
        refused(/cannot be read \(BAD_EVIDENCE\)/),
      )
  })

  it('that gives none in time', async () => {
    const codes = { code: 'NODE_UNREACHABLE', place: url }
    await expect(attest({ fetch: async () => Response.json([]) })).rejects.toMatchObject(codes)
    await expect(attest({ fetch: () => Promise.reject(new TypeError('down')) })).rejects.toMatchObject(codes)
    const hang: typeof globalThis.fetch = (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
      })
    await expect(attest({ fetch: hang, timeoutMs: 20 })).rejects.toMatchObject(codes)
  })
})

describe('calls to a peer', () => {
  it('are sealed, calls that anybody may make as well: a proxy reads neither path nor answer', async () => {
    const peer = await attest()
    const before = honest.world.wire.length
    const answer = await callPeer(
      peer,
      { method: 'GET', path: '/v1/pools', body: null },
      { ...ports, fetch: honest.fetch },
    )
    expect(answer).toMatchObject({ status: 200, body: { simulated: true, pools: [] } })
    const wire = honest.world.wire.slice(before)
    expect(wire.map((one) => one.url)).toEqual([`${url}/v1/sealed`, `${url}/v1/sealed`])
    for (const { bytes } of wire) expect(Buffer.from(bytes).includes('pools')).toBe(false)
  })

  it('sign in with the statement key as a peer, once for a line', async () => {
    const key = platformRandom(32)
    const me = openKeyRing(key, digestOfDigit('1'))
    const served = await peerNode({
      simulator,
      store,
      url,
      authentication: { isPeer: async (address) => address === me.statementAddress },
    })
    served.world.clock.seconds = now()
    const chain = listedNodes()
    served.register(chain)
    const peer = await attest({ chain, fetch: served.fetch })
    const line = openPeer(peer, { ...ports, fetch: served.fetch, statementKey: me.statementKey })
    const audit = { method: 'GET', path: '/v1/audit', body: null } as const
    expect((await line(audit)).status).toBe(200)
    const first = served.world.wire.length
    expect((await line(audit)).status).toBe(200)
    expect(served.world.wire.length - first).toBe(2)
    const stranger = { ...ports, fetch: served.fetch, statementKey: platformRandom(32) }
    await expect(callPeer(peer, audit, stranger)).rejects.toMatchObject({
      code: 'PEER_ANSWER_INVALID',
      message: expect.stringMatching(/SIGN_IN_ROLE/) as string,
    })
    const nobody = await callPeer(peer, audit, { ...ports, fetch: served.fetch })
    expect(nobody).toMatchObject({ status: 401, body: { error: { code: 'SIGN_IN_REQUIRED' } } })
    const forged = await callPeer(peer, { ...audit, token: 'x' }, { ...ports, fetch: served.fetch })
    expect(forged).toMatchObject({ status: 401, body: { error: { code: 'TOKEN_INVALID' } } })
  })

  it('are taken by the attested keys alone, and so are answers', async () => {
    const peer = await attest()
    const other = await peerNode({ simulator, store, url })
    other.world.clock.seconds = now()
    const call = { method: 'GET', path: '/v1/jobs', body: null } as const
    const invalid = { code: 'PEER_ANSWER_INVALID' }
    await expect(callPeer(peer, call, { ...ports, fetch: other.fetch })).rejects.toMatchObject(invalid)
    const tampering: typeof globalThis.fetch = async (input, init) => {
      const response = await honest.fetch(input, init)
      const bytes = new Uint8Array(await response.arrayBuffer())
      bytes[40] = (bytes[40] ?? 0) ^ 1
      return new Response(bytes, { headers: response.headers })
    }
    await expect(callPeer(peer, call, { ...ports, fetch: tampering })).rejects.toMatchObject(invalid)
    let kept: Response | undefined
    const replaying: typeof globalThis.fetch = async (input, init) => {
      const response = await honest.fetch(input, init)
      kept ??= response.clone()
      return kept.clone()
    }
    expect((await callPeer(peer, call, { ...ports, fetch: replaying })).status).toBe(200)
    await expect(callPeer(peer, call, { ...ports, fetch: replaying })).rejects.toMatchObject(invalid)
    const open: typeof globalThis.fetch = async () => Response.json({ states: {} })
    await expect(callPeer(peer, call, { ...ports, fetch: open })).rejects.toMatchObject(invalid)
  })

  it('end in time, and go to paths of the API only', async () => {
    const peer = await attest()
    const call = { method: 'POST', path: '/v1/plan', body: {} } as const
    const down = { ...ports, fetch: () => Promise.reject(new TypeError('down')) }
    await expect(callPeer(peer, call, down)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' })
    for (const path of ['/health', 'v1/health', '/v1/', '/v1/a b', 'https://elsewhere.example/v1/x'])
      await expect(callPeer(peer, { ...call, path }, ports)).rejects.toMatchObject({
        code: 'PEER_ANSWER_INVALID',
      })
  })
})
