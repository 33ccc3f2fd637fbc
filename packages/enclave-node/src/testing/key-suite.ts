/**
 * What every key release must do, and the adapters that do it.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/crypto'
import { dstackAgent } from '../evidence/dstack-agent.js'
import { developmentKeyRelease } from '../key/development-key-release.js'
import { dstackKeyRelease } from '../key/dstack-key-release.js'
import { brokerKeyRelease, rootDigest } from '../key/key-broker.js'
import type { KeyRelease } from '../key/key-release.js'
import { peersKeyRelease } from '../key/peers-key-release.js'
import { sealedKeyRelease } from '../key/sealed-key-release.js'
import { simulatedSealer } from '../key/simulated-sealer.js'
import { committeeRelease } from './committee-ceremony.js'
import { startFakeCommittee } from './fake-committee.js'
import { startFakeBroker } from './fake-key-broker.js'
import { fakeSimulator, startFakeDstack } from './fake-machine.js'
import { type Adapter, type Case, require, same } from './port-case.js'

/** What every key release must do. */
export const keyCases: readonly Case<KeyRelease>[] = [
  {
    title: 'the secret has 32 bytes and is the same at every start',
    async check(release) {
      const first = await release.release()
      require(first.length === 32, 'another length')
      require(same(first, await release.release()), 'another secret')
      require(first.some((byte) => byte !== 0), 'no secret')
    },
  },
  {
    title: 'what the caller does with its copy changes nothing',
    async check(release) {
      const first = await release.release()
      const kept = first.slice()
      first.fill(0)
      require(same(kept, await release.release()), 'the secret was changed')
    },
  },
  {
    title: 'a root that is put in its place is the one from then on, where one can be',
    async check(release) {
      if (release.install === undefined) return
      const root = platformRandom(32)
      await release.install(root)
      require(same(await release.release(), root), 'another secret')
      require(same(await release.release(), root), 'another secret at the next start')
    },
  },
]

/** @returns every key release, over a fake of what it talks to */
export function keyAdapters(): readonly Adapter<KeyRelease>[] {
  return [
    {
      name: 'development',
      async open() {
        const directory = mkdtempSync(join(tmpdir(), 'sealpool-key-'))
        return {
          port: developmentKeyRelease({ directory }),
          close: async () => rmSync(directory, { recursive: true }),
        }
      },
    },
    {
      name: 'dstack (faked guest agent)',
      async open() {
        const { socketPath, stop } = await startFakeDstack({ simulator: fakeSimulator(), asked: [] })
        return { port: dstackKeyRelease(dstackAgent({ socketPath, timeoutMs: 10_000 })), close: stop }
      },
    },
    {
      name: 'key broker (faked, by the protocol of Trustee)',
      async open() {
        const simulator = fakeSimulator()
        const root = platformRandom(32)
        const { url, stop } = await startFakeBroker({ simulator, resource: () => root })
        const quotes = { quote: async (reportData: Uint8Array) => simulator.quote({ reportData }) }
        const options = { url, quotes, timeoutMs: 10_000, resource: 'default/sealpool/root' }
        return { port: brokerKeyRelease({ ...options, root: rootDigest(root) }), close: stop }
      },
    },
    {
      name: '2 of 3 peers (faked)',
      async open() {
        const simulator = fakeSimulator()
        const quotes = { quote: async (reportData: Uint8Array) => simulator.quote({ reportData }) }
        const committee = await startFakeCommittee({
          simulator,
          root: platformRandom(32),
          threshold: 2,
          members: 3,
        })
        return {
          port: peersKeyRelease({ ...committee, quotes, timeoutMs: 10_000 }),
          close: committee.stop,
        }
      },
    },
    {
      name: '2 of 3 members of a committee (simulated)',
      open: async () => ({
        port: await committeeRelease(platformRandom(32)),
        close: async () => undefined,
      }),
    },
    {
      name: 'sealed to the measurement (simulated)',
      async open() {
        const directory = mkdtempSync(join(tmpdir(), 'sealpool-key-'))
        const sealer = simulatedSealer({ directory, measurement: '0x01', random: platformRandom })
        return {
          port: sealedKeyRelease({ directory, sealer, random: platformRandom }),
          close: async () => rmSync(directory, { recursive: true }),
        }
      },
    },
  ]
}
