import { afterAll, expect, it } from 'vitest'
import type { ChainJobState, ChainPort } from '../chain/chain-port.js'
import type { JobContext } from '../job/job-context.js'
import { advanceJob } from '../job/run-job.js'
import { countJobs, delayJob, findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { jobFixture, keys, manifest } from '../testing/job-fixture.js'
import { jobRounds } from './job-rounds.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)

const jobsBegun = 4
const total = 50
/** Looks after which the chain believes an anchor. */
const confirmations = 2

/** A chain of many jobs on which anchors are believed after some looks, and the most that ran on it at a time. */
function manyJobs() {
  let block = 0
  const sent = new Map<string, ChainJobState>()
  const anchored: { readonly sequence: number; readonly head: string; readonly from: number }[] = []
  const send = (id: string, state: ChainJobState): null => {
    sent.set(id, state)
    return null
  }
  const runningNow = (): number => [...sent.values()].filter((state) => state === 'Running').length
  let most = 0
  const chain: Partial<Record<keyof ChainPort, unknown>> = {
    ...world.chain,
    anchors: true,
    node: async () => ({ keySetDigest: keys.keySetDigest, measurement: '0x', active: true }),
    jobState: async (id: string) => {
      const state = sent.get(id) ?? 'Funded'
      return {
        state,
        suspended: false,
        node: state === 'Funded' ? null : keys.statementAddress,
        drawn: false,
      }
    },
    anchoredHead: async () => anchored.filter(({ from }) => from <= block).at(-1) ?? null,
    anchorBudget: async ({ sequence, head }: { readonly sequence: number; readonly head: string }) => {
      if (anchored.every((one) => one.sequence < sequence))
        anchored.push({ sequence, head, from: block + confirmations })
      return null
    },
    startJob: async ({ job }: { readonly job: string }) => {
      send(job, 'Running')
      most = Math.max(most, runningNow())
      return null
    },
    releaseJob: async ({ job }: { readonly job: string }) => send(job, 'Released'),
    settleJob: async (id: string) => send(id, 'Settled'),
  }
  return {
    chain: chain as unknown as ChainPort,
    mine: () => {
      block += 1
    },
    most: () => most,
  }
}

it('begin no more jobs on the chain than can be carried, and get through a long backlog', async () => {
  await world.reset()
  const asked = manifest({ privacy: { epsilon: 0.001, delta: 0 } })
  for (let id = 1; id <= total; id++) await world.paid(asked, {}, String(id))
  const { chain, mine, most } = manyJobs()
  let now = 1_700_000_000
  const context: JobContext = world.context(undefined, { chain, now: () => now })
  const rounds = jobRounds({
    job: context,
    engine: { jobsAtOnce: 2, jobsBegun },
    mayWork: () => true,
    work: async (id) => {
      const before = await findJob(store, id)
      return (await advanceJob(context, id))?.state !== before?.state
    },
    freed: () => undefined,
  })
  let settled = 0
  for (let look = 0; settled < total && look < 2_000; look++) {
    mine()
    // Whatever was put off is due again.
    now += 400
    await rounds.round()
    await rounds.ended()
    settled = (await countJobs(store))['settled'] ?? 0
  }
  expect(settled).toBe(total)
  expect(most()).toBe(jobsBegun)
})

it('begin others beside jobs that fail at every try', async () => {
  await world.reset()
  const asked = manifest({ privacy: { epsilon: 0.001, delta: 0 } })
  for (let id = 1; id <= 3; id++) await world.paid(asked, {}, String(id))
  const failing = ['1', '2']
  for (const id of failing) await store.query(`update jobs set chain_state = 'Running' where id = ${id}`)
  const tried: string[] = []
  let now = 1_700_000_000
  const { chain } = manyJobs()
  const rounds = jobRounds({
    job: world.context(undefined, { chain, now: () => now }),
    engine: { jobsAtOnce: 1, jobsBegun: failing.length },
    mayWork: () => true,
    work: async (id) => {
      tried.push(id)
      if (failing.includes(id)) {
        await delayJob(store, id, { reason: 'TRIED_AGAIN', reasonText: 'again', at: now + 300 })
        return false
      }
      await store.query(`update jobs set state = 'settled' where id = ${id}`)
      return true
    },
    freed: () => undefined,
  })
  for (let look = 0; look < 4; look++) {
    await rounds.round()
    await rounds.ended()
    now += 10
  }
  expect(tried).toEqual([...failing, '3'])
  // When they are due again they are tried again, as those that were begun.
  now += 400
  await rounds.round()
  await rounds.ended()
  expect(failing).toContain(tried.at(-1))
})

it('begin nothing while the node may not work, is not listed, or has a disk that is behind the chain', async () => {
  await world.reset()
  await world.paid()
  const listed = { keySetDigest: keys.keySetDigest, measurement: '0x', active: true }
  let looks = 0
  const begun = async (
    change: { readonly works?: () => boolean; readonly chain?: object } = {},
  ): Promise<readonly string[]> => {
    const tried: string[] = []
    const chain = { ...world.chain, node: async () => listed, ...change.chain } as unknown as ChainPort
    const rounds = jobRounds({
      job: world.context(undefined, { chain }),
      engine: { jobsAtOnce: 1, jobsBegun },
      mayWork: change.works ?? (() => true),
      work: async (id) => tried.push(id) > 0,
      freed: () => undefined,
    })
    await rounds.round()
    await rounds.ended()
    return tried
  }
  expect(await begun({ works: () => false })).toEqual([])
  // It was stopped while the chain was asked.
  expect(await begun({ works: () => looks++ === 0 })).toEqual([])
  for (const node of [null, { ...listed, active: false }, { ...listed, keySetDigest: 'sha256:other' }])
    expect(await begun({ chain: { node: async () => node } })).toEqual([])
  const ahead = { anchoredHead: async () => ({ sequence: 3, head: 'sha256:unknown' }) }
  await expect(begun({ chain: ahead })).rejects.toMatchObject({ code: 'STATE_ROLLED_BACK' })
  expect(await begun()).toEqual(['1'])
})
