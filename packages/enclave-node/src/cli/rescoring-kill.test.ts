/** A real process that judges again, killed with SIGKILL in the middle of it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { NodeEvidence } from '@sealpool/attest'
import { getContribution } from '@sealpool/contracts'
import type { SignedStatement } from '@sealpool/crypto'
import { verifyRescoring } from '@sealpool/poc'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask, until } from '../testing/ask.js'
import { type PoolWorld, poolWorld } from '../testing/pool-world.js'
import { voteProof } from '../testing/vote-proof.js'

const program = fileURLToPath(new URL('../../dist/cli/sealpool-node.js', import.meta.url))
const people = 10
let world: PoolWorld
let child: ChildProcess | undefined
let url: string

async function start(config: string): Promise<void> {
  child = spawn(process.execPath, [program, 'start', '--config', config], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '', SEALPOOL_TRANSACTION_KEY: world.transactionKey },
  })
  if (child.stdout === null) throw new Error('no output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  url = (JSON.parse(line) as { url: string }).url
}
async function kill(): Promise<void> {
  if (child === undefined) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  child = undefined
}
const isReady = () => until('ready', async () => ((await ask(`${url}/v1/ready`)) as { ready: boolean }).ready)
const statements = async () =>
  (
    (await ask(`${url}/v1/rescorings?pool=${world.pools.pay.pool}`)) as {
      rescorings: readonly SignedStatement[]
    }
  ).rescorings
/** Second verdicts on each contribution. */
const secondOf = (ids: readonly string[]) =>
  Promise.all(
    ids.map(
      async (id) =>
        ((await ask(`${url}/v1/contributions/${id}`)) as { rescored?: readonly SignedStatement[] })
          .rescored ?? [],
    ),
  )

beforeAll(async () => {
  // One at a time, so that there is a middle.
  world = await poolWorld({ workers: people, ingest: { concurrency: 1 } })
}, 180_000)
afterAll(async () => {
  await kill()
  await world?.close()
})

it('goes on where it was killed: each contribution has one second verdict, and all of them one statement', {
  timeout: 400_000,
}, async () => {
  const { pay } = world.pools
  await start(world.config)
  await world.register(url)
  await isReady()
  const ids = await world.contribute(
    url,
    // The first proof gives half of a score for the wage of every second one.
    Array.from({ length: people }, (_, worker) => ({
      pool: pay,
      worker,
      bytes: world.payExport(worker, worker % 2 === 0 ? 10 : 500 + worker),
    })),
  )
  const { client, deployment } = world
  await until('scored', async () =>
    (await Promise.all(ids.map((id) => getContribution(client, { deployment, id: BigInt(id) })))).every(
      ({ score }) => score > 0,
    ),
  )
  const { poc, config } = await voteProof(world)
  const { keySet } = (await ask(`${url}/v1/evidence`)) as NodeEvidence
  await kill()

  /** What was seen of contributions before a kill. */
  const seen = new Map<number, readonly SignedStatement[]>()
  let key = ''
  for (const reached of [1, 4]) {
    await start(config)
    if (reached === 1) await world.register(url)
    await until('in the middle', async () => ((await secondOf(ids))[reached] ?? []).length > 0)
    for (const [index, second] of (await secondOf(ids)).entries())
      if (second.length > 0) seen.set(index, second)
    expect(await statements()).toEqual([])
    await kill()
  }
  expect(seen.size).toBeLessThan(people)

  for (const time of ['first', 'again']) {
    await start(config)
    await isReady()
    await until(time, async () => (await statements()).length > 0)
    const [statement, ...more] = await statements()
    expect(more).toEqual([])
    const { rescoring } = verifyRescoring(statement, {
      chainId: world.devnet.chainId,
      registry: deployment.nodeRegistry,
      pool: pay.pool,
      poc: poc.digest,
      validators: [keySet.statement.address],
    })
    expect(rescoring).toMatchObject({ number: 1, accepted: people, chosen: people, last: true, left: [] })
    expect(rescoring.entries.map(({ contribution, difference }) => [contribution, difference])).toEqual(
      ids.map((id, index) => [id, index % 2 === 0 ? 0 : 5_000]),
    )
    const second = await secondOf(ids)
    expect(second.map(({ length }) => length)).toEqual(ids.map(() => 1))
    for (const [index, before] of seen) expect(second[index]).toEqual(before)
    // Of what stands already nothing is said anew.
    key ||= JSON.stringify([statement, second])
    expect(JSON.stringify([statement, second])).toBe(key)
    await kill()
  }
})
