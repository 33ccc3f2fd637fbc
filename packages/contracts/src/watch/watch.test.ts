import type { Client, Hash, Hex } from 'viem'
import { createClient, custom } from 'viem'
import { getBlockNumber } from 'viem/actions'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { contribute, getContributions, proposeJob } from '../action/index.js'
import { ContractsError } from '../errors.js'
import { contributionOf, createWorld, digest, type World } from '../testing/world.js'
import { followEvents, type PlacedEvent } from './follow-events.js'
import { type Unwatch, watchBatches, watchContributions, watchJobs, watchVerdicts } from './watch.js'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.devnet.stop())

const ends: Unwatch[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

const rpc = (method: string, params: unknown[]) =>
  (world.client.request as (args: unknown) => Promise<unknown>)({ method, params })

/** Waits until something is so, by looking; the test's own time limit ends it. */
async function until(holds: () => boolean) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Where watching begins that misses nothing which comes from now on, however late it looks for the first time. */
const fromNow = async () => ({ fromBlock: (await getBlockNumber(world.client, { cacheTime: 0 })) + 1n })

/** A client that counts how often somebody has asked where the chain ends. */
function looking() {
  let looks = 0
  const client = createClient({
    transport: custom({
      request({ method, params }: { method: string; params?: unknown[] }) {
        if (method === 'eth_getBlockByNumber' && params?.[0] === 'latest') looks += 1
        return rpc(method, params ?? [])
      },
    }),
  })
  /** Waits until one look has begun and ended: the second one from now follows it. */
  const looked = () => {
    const before = looks
    return until(() => looks >= before + 2)
  }
  return { client, looked }
}

describe('watching jobs and contributions', () => {
  test('what happens is told once, in order, and nothing after the end', async () => {
    const { deployment, client, deployer } = world
    const seen: string[] = []
    const from = await fromNow()
    const unwatch = watchContributions(client, {
      deployment,
      pool: world.pool.pool,
      ...from,
      pollingInterval: 5,
      onEvents: (events) => {
        seen.push(...events.map(({ id }) => `contribution ${id}`))
      },
    })
    ends.push(unwatch)
    ends.push(
      watchJobs(client, {
        deployment,
        ...from,
        pollingInterval: 5,
        onEvents: (events) => {
          seen.push(...events.map(({ name }) => name))
        },
      }),
    )
    const first = await contribute(client, { deployment, contribution: contributionOf(world, deployer) })
    await until(() => seen.length === 1)
    await proposeJob(client, {
      deployment,
      manifestDigest: digest('watched'),
      manifestLocator: '',
      pools: [world.pool.pool],
      deadline: (await world.now()) + 1_000n,
    })
    await until(() => seen.length === 3)
    expect(seen).toEqual([`contribution ${first.id}`, 'JobProposed', 'JobStateChanged'])
    unwatch()
    const witnessed: bigint[] = []
    ends.push(
      watchContributions(client, {
        deployment,
        ...(await fromNow()),
        pollingInterval: 5,
        onEvents: (events) => {
          witnessed.push(...events.map(({ id }) => id))
        },
      }),
    )
    await contribute(client, { deployment, contribution: contributionOf(world, deployer) })
    await until(() => witnessed.length === 1)
    expect(seen).toHaveLength(3)
  })

  test('under confirmations nothing is told early', async () => {
    const { deployment, client, deployer } = world
    const seen: bigint[] = []
    const { client: watching, looked } = looking()
    ends.push(
      watchContributions(watching, {
        deployment,
        ...(await fromNow()),
        finality: { confirmations: 3 },
        pollingInterval: 5,
        onEvents: (events) => {
          seen.push(...events.map(({ id }) => id))
        },
      }),
    )
    const { id } = await contribute(client, { deployment, contribution: contributionOf(world, deployer) })
    await rpc('anvil_mine', ['0x2'])
    await looked()
    expect(seen).not.toContain(id)
    await rpc('anvil_mine', ['0x1'])
    await until(() => seen.includes(id))
  })

  test('a reorganisation takes back what it took away and gives what came instead', async () => {
    const { deployment, client, deployer } = world
    const seen: string[] = []
    ends.push(
      watchContributions(client, {
        deployment,
        ...(await fromNow()),
        pollingInterval: 5,
        onEvents: (events) => {
          seen.push(...events.map(({ locator }) => `+${locator}`))
        },
        onRemoved: (events) => {
          seen.push(...events.map(({ locator }) => `-${locator}`))
        },
      }),
    )
    const snapshot = await rpc('evm_snapshot', [])
    for (const locator of ['a', 'b']) {
      const contribution = contributionOf(world, deployer, { locator })
      await contribute(client, { deployment, contribution })
    }
    await until(() => seen.length === 2)
    await rpc('evm_revert', [snapshot])
    const contribution = contributionOf(world, deployer, { locator: 'c' })
    await contribute(client, { deployment, contribution })
    // The new chain is as long as the old one only now: before, the source could merely be behind.
    await rpc('anvil_mine', ['0x2'])
    await until(() => seen.length === 5)
    expect(seen).toEqual(['+a', '+b', '-b', '-a', '+c'])
  })

  test('what fails is told, and watching goes on', async () => {
    const { deployment, deployer } = world
    let broken = true
    const client = createClient({
      transport: custom(
        {
          async request({ method, params }: { method: string; params?: unknown }) {
            if (broken) throw new Error('no line')
            return rpc(method, (params ?? []) as unknown[])
          },
        },
        { retryCount: 0 },
      ),
    })
    const codes: string[] = []
    const seen: bigint[] = []
    ends.push(
      watchContributions(client, {
        deployment,
        fromBlock: deployment.blockNumber,
        pollingInterval: 5,
        onEvents: (events) => {
          seen.push(...events.map(({ id }) => id))
          throw new Error('the app fails')
        },
        onError: (error) => {
          expect(error).toBeInstanceOf(ContractsError)
          codes.push(error.place)
        },
      }),
    )
    await until(() => codes.length > 1)
    broken = false
    const before = (await getContributions(world.client, { deployment })).map(({ id }) => id)
    await until(() => seen.length > 0)
    expect(seen).toEqual(before)
    const { id } = await contribute(world.client, {
      deployment,
      contribution: contributionOf(world, deployer),
    })
    await until(() => seen.includes(id))
    expect(seen.filter((one) => one === id)).toHaveLength(1)
  })

  test('verdicts and batches can be watched, too', async () => {
    const { deployment } = world
    const [verdicts, batches, jobs] = [looking(), looking(), looking()]
    const empty: unknown[] = []
    const onEvents = (events: readonly unknown[]) => {
      empty.push(...events)
    }
    const often = { deployment, pollingInterval: 5, onEvents }
    ends.push(watchVerdicts(verdicts.client, { ...often, pool: world.pool.pool }))
    ends.push(watchBatches(batches.client, { ...often, blocksPerRequest: 2n, fromBlock: 0n }))
    // Without a pool or an interval, and of one job that there is not.
    ends.push(watchVerdicts(world.client, { deployment, onEvents }))
    ends.push(watchJobs(jobs.client, { ...often, jobId: 999_999n, fromBlock: 0n }))
    await Promise.all([verdicts, batches, jobs].map(({ looked }) => looked()))
    expect(empty).toEqual([])
  })
})

/** A chain in memory: every block has a name, which is its hash, and may carry one event. */
function chainOf(names: string) {
  let blocks = [...names]
  const hash = (name: string): Hash => `0x${Buffer.from(name.padStart(32, '-')).toString('hex')}`
  const event = (name: string, number: number) => ({
    name,
    blockNumber: BigInt(number),
    blockHash: hash(name),
    logIndex: 0,
  })
  const client = createClient({
    transport: custom(
      {
        async request({ method, params }: { method: string; params?: unknown[] }) {
          if (method !== 'eth_getBlockByNumber') throw new Error(`not on this chain: ${method}`)
          const [tag] = params ?? []
          const number = tag === 'latest' ? blocks.length - 1 : Number(tag as Hex)
          const name = blocks[number]
          return name === undefined ? null : { number: `0x${number.toString(16)}`, hash: hash(name) }
        },
      },
      { retryCount: 0 },
    ),
  }) as Client
  return {
    client,
    set(next: string) {
      blocks = [...next]
    },
    /** Upper case letters are blocks with an event. */
    read: async ({ fromBlock, toBlock }: { fromBlock: bigint; toBlock: bigint }) =>
      blocks.flatMap((name, number) =>
        number >= fromBlock && number <= toBlock && name !== name.toLowerCase() ? [event(name, number)] : [],
      ),
  }
}

describe('the follower', () => {
  const names = (events: readonly PlacedEvent[] | undefined) =>
    (events ?? []).map((event) => (event as PlacedEvent & { name: string }).name).join('')
  const told = (step: { removed: readonly PlacedEvent[]; events: readonly PlacedEvent[] } | null) =>
    step === null ? null : `-${names(step.removed)}+${names(step.events)}`

  test('a fork is undone to its root, whatever its depth within memory', async () => {
    const chain = chainOf('aBCd')
    const follower = followEvents(chain.client, { read: chain.read, fromBlock: 0n })
    expect(told(await follower.step())).toBe('-+BC')
    expect(told(await follower.step())).toBe('-+')
    chain.set('aBCdE')
    expect(told(await follower.step())).toBe('-+E')
    chain.set('aBXyZw')
    expect(told(await follower.step())).toBe('-EC+XZ')
    chain.set('mNopqrs')
    expect(told(await follower.step())).toBe('-ZXB+N')
  })

  test('a chain that goes over and back again gives its events anew', async () => {
    const chain = chainOf('aBcD')
    const follower = followEvents(chain.client, { read: chain.read, fromBlock: 0n })
    expect(told(await follower.step())).toBe('-+BD')
    chain.set('aBcEf')
    expect(told(await follower.step())).toBe('-D+E')
    chain.set('aBcDef')
    expect(told(await follower.step())).toBe('-E+D')
  })

  test('a source that is behind undoes nothing, and a shorter fork is undone at once', async () => {
    const chain = chainOf('aBcDe')
    const follower = followEvents(chain.client, { read: chain.read, fromBlock: 0n })
    await follower.step()
    chain.set('aBc')
    expect(await follower.step()).toBeNull()
    chain.set('aXc')
    expect(told(await follower.step())).toBe('-DB+X')
  })

  test('a fork deeper than memory is an error, not a guess', async () => {
    const chain = chainOf('aBcDeFgHiJ')
    const follower = followEvents(chain.client, { read: chain.read, fromBlock: 0n, memory: 3n })
    expect(told(await follower.step())).toBe('-+BDFHJ')
    chain.set('aBcDeFgXyZ')
    expect(told(await follower.step())).toBe('-JH+XZ')
    chain.set('mNopQrstuvw')
    await expect(follower.step()).rejects.toMatchObject({ code: 'CHAIN_REORGANISED' })
  })

  test('a chain that changes while it is read is read again', async () => {
    const chain = chainOf('aBc')
    let change = true
    const follower = followEvents(chain.client, {
      fromBlock: 0n,
      read: async (range) => {
        const events = await chain.read(range)
        if (change) chain.set('aXy')
        change = false
        return events
      },
    })
    expect(await follower.step()).toBeNull()
    expect(told(await follower.step())).toBe('-+X')
  })

  test('a chain that is too short yet has no step', async () => {
    const chain = chainOf('aB')
    const follower = followEvents(chain.client, {
      read: chain.read,
      fromBlock: 0n,
      finality: { confirmations: 5 },
    })
    expect(await follower.step()).toBeNull()
    chain.set('aBcdefgh')
    expect(told(await follower.step())).toBe('-+B')
  })

  test('without a first block it begins with the next one', async () => {
    const chain = chainOf('aBc')
    const follower = followEvents(chain.client, { read: chain.read })
    expect(told(await follower.step())).toBe('-+')
    chain.set('aBcD')
    expect(told(await follower.step())).toBe('-+D')
  })
})
