import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { receiptBodySchema, verifyReceipt } from '@sealpool/attest'
import { type SignedStatement, statementDigest, verifyStatement } from '@sealpool/crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, until } from '../testing/ask.js'
import { type HandOffWorld, handOffSettings, handOffWorld } from '../testing/hand-off-world.js'
import { type RecordingProxy, recordingProxy } from '../testing/recording-proxy.js'
import { walkBackOf } from '../testing/walk-back-of.js'
import { nodeLogger } from './logger.js'
import { type RunningNode, startNode } from './start-node.js'

const log = nodeLogger({ level: process.env['SEALPOOL_TEST_LOG'] ?? 'silent', simulated: true })
let here: HandOffWorld
let settings: Awaited<ReturnType<typeof handOffSettings>>
let proxy: RecordingProxy
let home: RunningNode
let runner: RunningNode

const ready = async (url: string): Promise<void> => {
  await here.world.register(url)
  await until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
}
const settled = async (id: bigint): Promise<void> =>
  until(`job ${id} settled`, async () => (await here.job(home.url, id)).state === 'settled')
const receiptOf = async (id: bigint) => {
  const { receipt } = await here.job(home.url, id)
  if (receipt === null) throw new Error('there is no receipt')
  return receiptBodySchema.parse(receipt.statement.body)
}
const left = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

beforeAll(async () => {
  here = await handOffWorld()
  proxy = await recordingProxy()
  settings = await handOffSettings(here.world, { url: proxy.url })
  runner = await startNode(settings.runner(), settings.secrets, { log })
  proxy.target = runner.url
  home = await startNode(settings.home(), settings.secrets, { log })
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

describe('a job that is handed off', { timeout: 180_000 }, () => {
  it('has the answer that the home node gives itself, byte for byte, and a receipt that names who ran it', async () => {
    const own = await here.paid(here.manifest())
    await settled(own)
    proxy.seen.length = 0
    const handed = await here.paid(here.manifest({ handOff: here.handOff() }))
    await settled(handed)
    expect(proxy.seen.length).toBeGreaterThan(10)
    const [one, other] = [await here.answer(home.url, own), await here.answer(home.url, handed)]
    expect(other).toEqual(one)

    expect((await receiptOf(own)).handOff).toBeUndefined()
    const body = await receiptOf(handed)
    const { work } = (await ask(`${home.url}/v1/jobs/${handed}/work`)) as { work: SignedStatement }
    expect(body.handOff).toEqual({
      node: runner.keySet.statement.address,
      keySet: runner.keySetDigest,
      work: statementDigest(work.statement),
    })
    expect(verifyStatement(work, { signer: runner.keySet.statement.address })).toBe(true)
    expect(work.statement.body).toMatchObject({ job: String(handed), quote: runner.quoteDigest })
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
    expect(await ask(`${home.url}/v1/jobs/${own}/work`)).toMatchObject({ error: { code: 'WORK_UNKNOWN' } })
  })
  it('is walked back from its answer to six contributions, by the word of both nodes and of no other', async () => {
    const [own, handed] = [1n, 2n]
    const signers = [home, runner].map(({ keySet }) => keySet.statement.address)
    const { walk, records } = await walkBackOf(here, home.url, handed)
    const found = await walk(signers)
    expect(found.gaps).toEqual([])
    expect(found.complete).toBe(true)
    expect(found.inputs.map(({ contribution }) => contribution)).toEqual(['1', '2', '3', '4', '5', '6'])
    expect(found.steps.at(-1)).toMatchObject({ kind: 'query' })
    expect((await walk(signers.slice(0, 1))).gaps).toEqual([
      expect.objectContaining({ place: 'receipt.handOff' }),
    ])
    // A statement says nothing of how many rows anybody gave.
    for (const { statement } of records.refinements)
      expect(Object.keys((statement as SignedStatement).statement.body).sort()).toEqual([
        'content',
        'contributions',
        'policy',
        'pool',
        'refiner',
        'schema',
      ])
    expect((await (await walkBackOf(here, home.url, own)).walk(signers.slice(0, 1))).complete).toBe(true)
    expect(await ask(`${home.url}/v1/jobs/${own}/lineage?from=999`)).toMatchObject({
      refinements: [],
      next: null,
    })
  })
  it('leaves nothing behind on either node, and a proxy between them read nothing', async () => {
    expect(await left(join(here.world.folder, 'runner', 'hand-off-served'))).toEqual([])
    expect(await left(join(here.world.folder, 'node', 'tables', 'hand-off'))).toEqual([])
    const wire = Buffer.concat(proxy.seen)
    for (const canary of ['sector', 'workers', 'mean_wage', 'PARE', 'tableKey', 'hand-off-leash']) {
      expect(wire.includes(canary), canary).toBe(false)
    }
  })
})
