import { readFileSync } from 'node:fs'
import type { Account } from 'viem'
import { readContract } from 'viem/actions'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dataRegistryAbi } from '../abi/DataRegistry.js'
import { jobBoardAbi } from '../abi/JobBoard.js'
import { ContractsError } from '../errors.js'
import { erasureContext, verdictBatchContext } from '../statement/index.js'
import { contributionOf, createWorld, digest, nextNonce, prove, type World } from '../testing/world.js'
import { contribute, getContribution, invoke, jobStates, recordVerdicts } from './index.js'

/** The contracts do what docs/contracts.md draws, and nothing else: every arrow is walked, and every missing one tried. */
let world: World
let owner: Account
beforeAll(async () => {
  world = await createWorld()
  owner = world.account(1)
})
afterAll(() => world.devnet.stop())

/** Arrows `from -> to` between the states of a diagram; `None` is where nothing is yet. */
function arrowsOf(diagram: string): string[] {
  const page = readFileSync(new URL('../../../../docs/contracts.md', import.meta.url), 'utf8')
  const [, body = ''] = new RegExp(`<!-- diagram ${diagram} -->([^]*?)<!-- end -->`).exec(page) ?? []
  return [...body.matchAll(/^ +(\S+) --> (\w+)/gm)]
    .map(([, from, to]) => `${from === '[*]' ? 'None' : from} -> ${to}`)
    .sort()
}

test('a job moves as it is drawn', async () => {
  const allowed: string[] = []
  for (const [from, name] of jobStates.entries()) {
    for (const [to, target] of jobStates.entries()) {
      const yes = await readContract(world.client, {
        address: world.deployment.jobBoard,
        abi: jobBoardAbi,
        functionName: 'transitionAllowed',
        args: [from, to],
      })
      if (yes) allowed.push(`${name} -> ${target}`)
    }
  }
  expect(allowed.length).toBeGreaterThan(20)
  expect(allowed.sort()).toEqual(arrowsOf('job'))
})

const registry = () => ({ address: world.deployment.dataRegistry, abi: dataRegistryAbi }) as const

async function offer(): Promise<bigint> {
  const contribution = contributionOf(world, owner)
  const { id } = await contribute(world.clientOf(owner), { deployment: world.deployment, contribution })
  return id
}

async function judge(id: bigint, refused: boolean): Promise<void> {
  const { client, deployment, node, pool } = world
  const entries = [
    { contributionId: id, score: refused ? 0 : 5_000, refused, verdictDigest: digest(`${id}`) },
  ]
  const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool: pool.pool, entries })
  const statement = await prove(node, 'verdictBatch', context)
  await recordVerdicts(client, { deployment, pool: pool.pool, entries, statement })
}

const steps: Record<string, (id: bigint) => Promise<unknown>> = {
  Accepted: (id) => judge(id, false),
  Refused: (id) => judge(id, true),
  Withdrawn: (id) => invoke(world.clientOf(owner), { ...registry(), functionName: 'withdraw', args: [id] }),
  Superseded: (id) =>
    invoke(world.clientOf(owner), {
      ...registry(),
      functionName: 'contributeVersion',
      args: [id, contributionOf(world, owner)],
    }),
  Erased: async (id) => {
    const { deployment, node, pool } = world
    const context = erasureContext({ deployment, nonce: nextNonce(), pool: pool.pool, contributionId: id })
    const proof = await prove(node, 'erasure', context)
    return invoke(world.client, { ...registry(), functionName: 'recordErasure', args: [id, proof] })
  },
}
/** How a contribution comes to be in a state. */
const ways: Record<string, readonly string[]> = {
  Offered: [],
  Accepted: ['Accepted'],
  Refused: ['Refused'],
  Withdrawn: ['Withdrawn'],
  Superseded: ['Superseded'],
  Erased: ['Withdrawn', 'Erased'],
}

test('a contribution moves as it is drawn', async () => {
  const { client, deployment } = world
  const walked = ['None -> Offered']
  for (const [from, way] of Object.entries(ways)) {
    for (const [to, step] of Object.entries(steps)) {
      const id = await offer()
      for (const state of way) await steps[state]?.(id)
      expect((await getContribution(client, { deployment, id })).state).toBe(from)
      try {
        await step(id)
      } catch (error) {
        if (!(error instanceof ContractsError) || error.code !== 'REVERTED') throw error
        continue
      }
      expect((await getContribution(client, { deployment, id })).state).toBe(to)
      walked.push(`${from} -> ${to}`)
    }
  }
  expect(walked.sort()).toEqual(arrowsOf('contribution'))
})

test('what was never offered goes nowhere', async () => {
  for (const step of Object.values(steps)) {
    await expect(step(999_999n)).rejects.toMatchObject({ code: 'REVERTED' })
  }
})

test('every hole of the existing network has its test, by the name that the page gives', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const page = read('../../../../docs/contracts.md')
  const table = page.slice(page.indexOf('## Holes of the existing network'))
  const names = [...table.matchAll(/`(test\w+)`/g)].map(([, name]) => name)
  expect(names.length).toBeGreaterThan(8)
  const sources = ['Audit', 'Batches', 'DataRegistry', 'JobBoard', 'JobLife', 'NodeRegistry', 'Pool', 'Tdx']
    .map((file) => read(`../../test/${file}.t.sol`))
    .join('\n')
  for (const name of names) expect(sources).toContain(`function ${name}(`)
})

test('the gas that the README names is the gas that was measured', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const readme = read('../../README.md')
  const figures = Object.entries(JSON.parse(read('../../gas-snapshot.json')) as Record<string, number>)
  // The README names the ones with a goal, and few others.
  const untold = [
    'life of a contribution, owner of others',
    'job funded, run and settled, the first of a pool',
  ]
  const missing = figures.filter(
    ([name, gas]) => !untold.includes(name) && !readme.includes(`| ${gas.toLocaleString('en-US')} |`),
  )
  expect(missing).toEqual([])
  expect(figures.length).toBeGreaterThan(10)
})
