import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getContribution } from '@sealpool/contracts'
import { digestOf, type JsonObject, type JsonValue, type SignedStatement } from '@sealpool/crypto'
import { agreeOnVerdict, checkDispute, verdictDigest, verifyRescoring } from '@sealpool/poc'
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
import { voteProof } from '../testing/vote-proof.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, type StartOptions, startNode } from './start-node.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })

let world: PoolWorld
let home: RunningNode
let liar: RunningNode
const nodes: RunningNode[] = []
const proxies: RecordingProxy[] = []

interface Agreement {
  readonly poc: `sha256:${string}`
  readonly commitment: `sha256:${string}`
  readonly inputs: `sha256:${string}`
  readonly earlierPolicy?: `sha256:${string}`
  readonly validators: readonly `0x${string}`[]
  readonly threshold: number
  readonly statements: readonly SignedStatement[]
}
interface Word {
  readonly agreement: Agreement
  readonly rescored: readonly Agreement[]
  readonly disputes: readonly { readonly evidence: { readonly statements: readonly SignedStatement[] } }[]
}

const json = async (name: string): Promise<JsonObject> =>
  JSON.parse(await readFile(join(world.folder, `${name}.json`), 'utf8')) as JsonObject

/** Starts a node in its place, or starts it anew with other settings. */
async function start(place: number, change: object, options: StartOptions = {}): Promise<RunningNode> {
  const { config, secrets } = await loadConfig(
    { config: world.config },
    { SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  )
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

/** Starts the home and two who judge besides it, of whom the second lies. @param rescoring older policies */
async function startAll(
  { policy, poc }: { readonly policy: JsonValue; readonly poc: JsonObject },
  rescoring?: { readonly earlier: readonly JsonValue[] },
): Promise<void> {
  const { pool: address } = world.pools.pay
  const judged = { address, policy, poc, refiner: await json('pay-refiner') }
  const validates = {
    nodes: [proxies[0]?.url],
    pools: [rescoring === undefined ? judged : { ...judged, rescoring }],
  }
  const honest = await start(1, { pools: [], validates })
  liar = await start(
    2,
    { pools: [], validates },
    {
      openRuntime: async (asked) => tampered(await createProcessRuntime(asked), { quality: 0.5, score: 0.5 }),
    },
  )
  const validators = {
    threshold: 2,
    nodes: [honest, liar].map(({ keySet }, index) => ({
      address: keySet.statement.address,
      url: proxies[index + 1]?.url,
    })),
  }
  home = await start(0, {
    pools: [
      {
        ...judged,
        validators,
        ...(rescoring === undefined ? {} : { rescoring: { ...rescoring, rule: 'difference' } }),
      },
    ],
  })
}

beforeAll(async () => {
  world = await poolWorld({ workers: 2 })
  for (let place = 0; place < 3; place += 1) proxies.push(await recordingProxy())
  await startAll({ policy: world.pools.pay.policy, poc: await json('pay-poc') })
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
      [10, 500].map((wage, worker) => ({
        pool: world.pools.pay,
        worker,
        bytes: world.payExport(worker, wage),
      })),
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

  it('votes for another proof: what the first one accepted is judged again by all, and counts as two agree', async () => {
    const { pool, policy } = world.pools.pay
    const { poc } = await voteProof(world)
    for (const node of nodes.splice(0)) await node.stop()
    await startAll(
      { policy: await json('next-policy'), poc: poc as unknown as JsonObject },
      { earlier: [policy] },
    )
    const statements = async () =>
      ((await ask(`${home.url}/v1/rescorings?pool=${pool}`)) as { rescorings: readonly SignedStatement[] })
        .rescorings
    await until('rescored', async () => (await statements()).length > 0)
    const { deployment } = world
    const registry = deployment.nodeRegistry
    const { rescoring } = verifyRescoring((await statements())[0], {
      chainId: deployment.chainId,
      registry,
      pool,
      poc: poc.digest,
      validators: [home.keySet.statement.address],
    })
    expect(rescoring).toMatchObject({ accepted: 2, chosen: 2, last: true, left: [] })
    // The one who lies says half a score.
    expect(rescoring.entries.map(({ after, difference }) => [after.score, difference])).toEqual([
      [10_000, 0],
      [10_000, 5_000],
    ])
    for (const { contribution, commitment, after } of rescoring.entries) {
      const { agreement, rescored, disputes } = (await ask(
        `${home.url}/v1/contributions/${contribution}/verdicts`,
      )) as Word
      expect(agreement.poc).not.toBe(poc.digest)
      const [word, ...more] = rescored
      if (word === undefined || more.length > 0) throw new Error('one other proof has judged it')
      const counted = agreeOnVerdict({
        ...word,
        pool,
        contribution,
        poc: poc.digest,
        context: {
          chainId: deployment.chainId,
          registry,
          subject: subjectOf(contribution),
          commitment,
          inputs: word.inputs,
          earlierPolicy: digestOf(policy),
        },
      })
      expect(counted.status).toBe('agreed')
      expect(counted.agreeing).toHaveLength(2)
      expect(counted.agreeing).not.toContain(liar.keySet.statement.address)
      expect(counted.verdict && verdictDigest(counted.verdict)).toBe(after.verdict)
      // Of the first proof, and of the second.
      expect(disputes).toHaveLength(2)
    }
  })
})
