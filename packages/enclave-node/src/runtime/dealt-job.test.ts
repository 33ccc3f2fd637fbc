import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { receiptBodySchema, verifyReceipt } from '@sealpool/attest'
import { type SignedStatement, statementDigest, verifyStatement } from '@sealpool/crypto'
import { getBlock } from 'viem/actions'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, until } from '../testing/ask.js'
import { type HandOffWorld, handOffSettings, handOffWorld } from '../testing/hand-off-world.js'
import { type RecordingProxy, recordingProxy } from '../testing/recording-proxy.js'
import { walkBackOf } from '../testing/walk-back-of.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
let here: HandOffWorld
let home: RunningNode
const runners: { readonly proxy: RecordingProxy; readonly node: RunningNode }[] = []

const ready = async (url: string): Promise<void> => {
  await here.world.register(url)
  await until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
}
const ended = async (id: bigint, state: string): Promise<void> =>
  until(`job ${id} ${state}`, async () => (await here.job(home.url, id)).state === state)
const receiptOf = async (id: bigint) => {
  const { receipt } = await here.job(home.url, id)
  if (receipt === null) throw new Error('there is no receipt')
  return receiptBodySchema.parse(receipt.statement.body)
}
/** What fails of a receipt's verification. */
const failures = async (id: bigint): Promise<readonly string[]> => {
  const bundle = (await ask(`${home.url}/v1/jobs/${id}/receipt`)) as Record<string, never>
  const { checks } = verifyReceipt({
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
  return checks
    .filter(({ result }) => result === 'fail')
    .map(({ id: check, detail }) => `${check}: ${detail}`)
}

beforeAll(async () => {
  here = await handOffWorld()
  const proxies = await Promise.all([0, 1, 2].map(() => recordingProxy()))
  for (const [index, proxy] of proxies.entries()) {
    const { runner, secrets } = await handOffSettings(here.world, { url: proxy.url, name: `runner-${index}` })
    const node = await startNode(runner(), secrets, { log })
    proxy.target = node.url
    runners.push({ proxy, node })
    await ready(node.url)
  }
  const nodes = proxies.map(({ url }) => url)
  const { home: settings, secrets } = await handOffSettings(here.world, {
    url: nodes[0] ?? '',
    name: 'runner-0',
  })
  home = await startNode(settings({ handOff: { nodes, patienceSeconds: 30 } }), secrets, { log })
  await ready(home.url)
  await here.fill(home.url)
}, 300_000)
afterAll(async () => {
  await home?.stop()
  for (const { node, proxy } of runners) {
    await node.stop()
    await proxy.close()
  }
  await here?.world.close()
})

describe('a job that is dealt to three nodes', { timeout: 300_000 }, () => {
  it('has the answer that the home node gives itself, byte for byte, and a receipt with the word of each', async () => {
    const own = await here.paid(here.manifest())
    await ended(own, 'settled')
    const dealt = await here.paid(here.manifest({ handOff: here.handOff({ shards: 3 }) }))
    await ended(dealt, 'settled')
    expect(await here.answer(home.url, dealt)).toEqual(await here.answer(home.url, own))
    const { works } = (await ask(`${home.url}/v1/jobs/${dealt}/work`)) as { works: SignedStatement[] }
    expect((await receiptOf(dealt)).shards).toEqual(
      runners.map(({ node }, index) => ({
        node: node.keySet.statement.address,
        keySet: node.keySetDigest,
        work: works[index] === undefined ? '' : statementDigest(works[index].statement),
      })),
    )
    for (const [index, { node }] of runners.entries()) {
      const work = works[index]
      expect(work !== undefined && verifyStatement(work, { signer: node.keySet.statement.address })).toBe(
        true,
      )
      expect(work?.statement.body).toMatchObject({ shard: `${index + 1}/3`, quote: node.quoteDigest })
    }
    expect(await failures(dealt)).toEqual([])
    const { walk } = await walkBackOf(here, home.url, dealt)
    const signers = [home, ...runners.map(({ node }) => node)].map(({ keySet }) => keySet.statement.address)
    expect(await walk(signers)).toMatchObject({ complete: true, gaps: [] })
    expect((await walk(signers.toSpliced(2, 1))).gaps).toEqual([
      expect.objectContaining({ place: 'receipt.shards[1]' }),
    ])
    for (const index of [0, 1, 2]) {
      const folder = join(here.world.folder, `runner-${index}`, 'hand-off-served')
      expect(await readdir(folder).catch(() => [])).toEqual([])
    }
  })

  it('of which one is lost: the job is refunded, nothing is released, and the receipt names it', async () => {
    const [, lost] = runners
    if (lost === undefined) throw new Error('there are three')
    const { timestamp } = await getBlock(here.world.client)
    const expiresAt = Number(timestamp) + 1_000
    let gone = false
    lost.proxy.before = async (body) => {
      // It is attested, and a transfer to it is opened: from then on it has its shard, and nothing gets through.
      const metrics = await (await fetch(`${lost.node.url}/v1/metrics`)).text()
      gone ||= /^sealpool_hand_offs_open [1-9]/m.test(metrics)
      return gone ? null : body
    }
    const id = await here.paid(here.manifest({ handOff: here.handOff({ shards: 3, expiresAt }) }))
    await until('the others gave their shares', async () => {
      const { works } = (await ask(`${home.url}/v1/jobs/${id}/work`)) as { works?: unknown[] }
      return works?.length === 2
    })
    expect([gone, (await here.job(home.url, id)).receipt]).toEqual([true, null])
    await here.world.devnet.advanceTime(1_000)
    await ended(id, 'refused')
    const { outcome, refusal, shards } = await receiptOf(id)
    expect([outcome, refusal?.code]).toEqual(['refused', 'EXECUTION_FAILED'])
    expect(shards?.map(({ node, work }) => [node, work === null])).toEqual(
      runners.map(({ node }, index) => [node.keySet.statement.address, index === 1]),
    )
    expect(await here.answer(home.url, id)).toEqual({ value: undefined, digest: undefined })
    // Its consumer has the money back.
    expect(await here.world.jobState(id)).toBe('Refused')
    expect(await failures(id)).toEqual([])
  })
})
