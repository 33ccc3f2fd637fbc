import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getContribution } from '@sealpool/contracts'
import type { JsonObject, SignedStatement } from '@sealpool/crypto'
import { agreeOnVerdict, checkDispute, verdictDigest } from '@sealpool/poc'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../cli/load-config.js'
import { parseNodeConfig } from '../config/node-config.js'
import { simulatorFile } from '../evidence/simulator-quote-provider.js'
import { subjectOf } from '../key/node-signer.js'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { type RecordingProxy, recordingProxy } from '../testing/recording-proxy.js'
import { tampered } from '../testing/validator-peers.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, type StartOptions, startNode } from './start-node.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })

let world: PoolWorld
let home: RunningNode
let liar: RunningNode
const nodes: RunningNode[] = []
const proxies: RecordingProxy[] = []

interface Word {
  readonly agreement: {
    readonly poc: `sha256:${string}`
    readonly commitment: `sha256:${string}`
    readonly inputs: `sha256:${string}`
    readonly validators: readonly `0x${string}`[]
    readonly threshold: number
    readonly statements: readonly SignedStatement[]
  }
  readonly disputes: readonly { readonly evidence: { readonly statements: readonly SignedStatement[] } }[]
}

beforeAll(async () => {
  world = await poolWorld({ workers: 2 })
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
  for (let place = 0; place < 3; place += 1) proxies.push(await recordingProxy())
  const [front] = proxies
  const json = async (name: string): Promise<JsonObject> =>
    JSON.parse(await readFile(join(world.folder, `${name}.json`), 'utf8')) as JsonObject
  const { pool: address, policy } = world.pools.pay
  const poc = await json('pay-poc')
  const start = async (place: number, change: object, options: StartOptions = {}) => {
    const data = join(world.folder, `validating-${place}`)
    await mkdir(data, { recursive: true })
    await copyFile(join(world.data, simulatorFile), join(data, simulatorFile))
    const transactionKey = world.devnet.accounts[place + 4]?.privateKey
    if (transactionKey === undefined) throw new Error('the devnet has too few accounts')
    const node = await startNode(
      parseNodeConfig({
        ...config,
        dataDirectory: data,
        instance: `validating-${place}`,
        api: { ...config.api, port: 0, publicUrl: proxies[place]?.url ?? null },
        ...change,
      }),
      { ...secrets, transactionKey },
      { log, ...options },
    )
    nodes.push(node)
    const proxy = proxies[place]
    if (proxy !== undefined) proxy.target = node.url
    await world.register(node.url)
    await until('ready', async () => ((await ask(`${node.url}/v1/ready`)) as { ready: boolean }).ready)
    return node
  }
  const refiner = await json('pay-refiner')
  const validates = { nodes: [front?.url], pools: [{ address, policy, poc, refiner }] }
  const honest = await start(1, { pools: [], validates })
  liar = await start(
    2,
    { pools: [], validates },
    {
      openRuntime: async (asked) => tampered(await createProcessRuntime(asked), { quality: 0.5, score: 0.5 }),
    },
  )
  home = await start(0, {
    pools: [
      {
        address,
        policy,
        poc,
        refiner,
        validators: {
          threshold: 2,
          nodes: [honest, liar].map(({ keySet }, index) => ({
            address: keySet.statement.address,
            url: proxies[index + 1]?.url,
          })),
        },
      },
    ],
  })
}, 240_000)
afterAll(async () => {
  for (const node of nodes) await node.stop()
  for (const proxy of proxies) await proxy.close()
  await world?.close()
})

describe('a pool whose contributions three nodes judge, of which one lies', { timeout: 240_000 }, () => {
  it('has what two agree on on the chain, with their words, and the dispute for anybody to check', async () => {
    const { pool } = world.pools.pay
    await world.contribute(
      home.url,
      [0, 1].map((worker) => ({ pool: world.pools.pay, worker, bytes: world.payExport(worker) })),
    )
    await until('ingested', async () => {
      const { states } = (await ask(`${home.url}/v1/contributions`)) as { states: Record<string, number> }
      return states['refined'] === 2
    })
    const word = (await ask(`${home.url}/v1/contributions/1/verdicts`)) as Word
    const { threshold, statements, poc, validators, commitment, inputs } = word.agreement
    const { deployment } = world
    const expected = {
      pool,
      contribution: '1',
      poc,
      validators,
      context: {
        chainId: deployment.chainId,
        registry: deployment.nodeRegistry,
        subject: subjectOf('1'),
        commitment,
        inputs,
      },
    }
    const counted = agreeOnVerdict({ ...expected, threshold, statements })
    expect(counted).toMatchObject({ status: 'agreed', verdict: { valid: true } })
    expect(counted.agreeing).not.toContain(liar.keySet.statement.address)
    expect(counted.agreeing).toHaveLength(2)
    const shown = (await ask(`${home.url}/v1/contributions/1`)) as {
      readonly verdictDigest: string
      score: number
    }
    if (counted.verdict === undefined) throw new Error('they agreed')
    expect(shown.verdictDigest).toBe(verdictDigest(counted.verdict))
    const onChain = await getContribution(world.client, { deployment, id: 1n })
    expect(onChain.score).toBe(shown.score)
    expect(shown.score).toBe(Math.round(counted.verdict.score * 10_000))

    const [dispute] = word.disputes
    expect(checkDispute(dispute?.evidence, expected)).toMatchObject({
      kind: 'mismatch',
      signers: [home.keySet.statement.address, liar.keySet.statement.address],
    })
    const { disputes } = (await ask(`${home.url}/v1/disputes`)) as {
      readonly disputes: readonly JsonObject[]
    }
    expect(disputes.map(({ contribution }) => contribution).sort()).toEqual(['1', '2'])
    expect(await (await fetch(`${home.url}/v1/metrics`)).text()).toContain('sealpool_verdict_disputes 2')
    // What goes between the nodes says nothing to a proxy.
    for (const proxy of proxies.slice(1)) {
      const wire = Buffer.concat(proxy.seen)
      expect(wire.length).toBeGreaterThan(1_000)
      for (const canary of ['"told"', 'novelty', '"header"', 'poc-verdict', 'evaluate'])
        expect(wire.includes(canary), canary).toBe(false)
    }
  })
})
