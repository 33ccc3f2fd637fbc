import { receiptBodySchema, verifyReceipt } from '@sealpool/attest'
import { gpuLimitNames, gpuLimitTexts, platformPolicyDigest } from '@sealpool/attest/platform-evidence'
import { platformRandom } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  confidentialMode,
  gpuServiceOf,
  simulatedGpuRules,
  simulatedGpus,
} from '../evidence/simulated-gpus.js'
import { openSimulator } from '../evidence/simulator-quote-provider.js'
import { ask, until } from '../testing/ask.js'
import { type HandOffWorld, handOffSettings, handOffWorld } from '../testing/hand-off-world.js'
import { quotesOf } from '../testing/peer-node.js'
import { type RecordingProxy, recordingProxy } from '../testing/recording-proxy.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

// Two whole nodes; the GPUs of the second are SIMULATED, and everything else about them is as with real ones.

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
const devices = 2
let here: HandOffWorld
let proxy: RecordingProxy
let home: RunningNode
let runner: RunningNode
let rules: ReturnType<typeof simulatedGpuRules>
let measurements: string[]

const ready = async (url: string): Promise<void> => {
  await here.world.register(url)
  await until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
}
const paths: string[] = []
/** What went to the runner: calls besides the question of who it is are sealed. */
const calls = () => [
  ...new Set(paths.map((path) => (path.startsWith('/v1/evidence?') ? 'evidence' : 'other'))),
]
const demanding = (minimumDevices: number) =>
  here.manifest({ handOff: here.handOff({ measurements, gpu: { minimumDevices } }) })

beforeAll(async () => {
  here = await handOffWorld()
  proxy = await recordingProxy()
  proxy.before = async (body, path) => {
    paths.push(path)
    return body
  }
  const now = () => new Date()
  const simulator = openSimulator({ directory: here.world.data, random: platformRandom, at: now() })
  rules = simulatedGpuRules(simulator)
  const gpus = simulatedGpus(gpuServiceOf(simulator), [confidentialMode(devices)], now)
  measurements = [quotesOf(simulator, undefined, gpus).measurement]
  const settings = await handOffSettings(here.world, { url: proxy.url })
  const withGpus = settings.runner({ evidence: { provider: 'simulator', gpus: { devices } } })
  runner = await startNode(withGpus, settings.secrets, { log })
  proxy.target = runner.url
  const handOff = { nodes: [proxy.url], patienceSeconds: 30, gpu: rules }
  home = await startNode(settings.home({ handOff }), settings.secrets, { log })
  await ready(runner.url)
  await ready(home.url)
  await here.fill(home.url)
}, 180_000)
afterAll(async () => {
  await home?.stop()
  await runner?.stop()
  await proxy?.close()
  await here?.world.close()
})

describe('a job that demands GPUs of whoever runs it', { timeout: 180_000 }, () => {
  it('runs on a node that shows them, and its receipt says what that proves', async () => {
    const own = await here.paid(here.manifest())
    const handed = await here.paid(demanding(devices))
    for (const id of [own, handed])
      await until(`job ${id} settled`, async () => (await here.job(home.url, id)).state === 'settled')
    expect(calls()).toContain('other')
    expect(await here.answer(home.url, handed)).toEqual(await here.answer(home.url, own))
    const bundle = (await ask(`${home.url}/v1/jobs/${handed}/receipt`)) as Record<string, never>
    const verdict = verifyReceipt({
      receipt: bundle['receipt'],
      evidence: bundle['evidence'],
      policies: Object.values(bundle['policies'] ?? {}),
      manifest: bundle['manifest'] ?? null,
      plan: bundle['plan'] ?? null,
      verdicts: bundle['verdicts'] ?? {},
      deployment: { chainId: here.world.deployment.chainId, registry: here.world.deployment.nodeRegistry },
      trust: here.world.attestation,
      at: new Date(),
    })
    expect(verdict.checks.filter(({ result }) => result === 'fail')).toEqual([])
    const { receipt } = await here.job(home.url, handed)
    const { node, gpu } = receiptBodySchema.parse(receipt?.statement.body).handOff ?? {}
    expect({ node, gpu }).toEqual({
      node: runner.keySet.statement.address,
      gpu: {
        confidentialComputing: 'on',
        developerTools: 'off',
        devices,
        policy: platformPolicyDigest(rules.policy),
        limits: gpuLimitNames,
      },
    })
    const said = verdict.checks.map(({ detail }) => detail).join(' ')
    expect(said).toContain(`${node} showed ${devices} GPUs in confidential mode.`)
    for (const name of gpuLimitNames) expect(said).toContain(gpuLimitTexts[name])
  })

  it('waits where a node shows too few, which is given nothing', async () => {
    const wanted = await here.paid(demanding(devices + 1))
    paths.length = 0
    await until('the job waits', async () => (await here.job(home.url, wanted)).reason === 'HAND_OFF_WAITS')
    expect(calls()).toEqual(['evidence'])
  })
})
