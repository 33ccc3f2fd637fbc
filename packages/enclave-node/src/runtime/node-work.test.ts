import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HandOffHome } from '../hand-off/hand-off-home.js'
import { forgetHandOff, keepHandOff } from '../hand-off/kept-hand-off.js'
import type { HandOffServer } from '../hand-off/serve-hand-off.js'
import type { IncidentRecord } from '../incident/incident-record.js'
import { noteHandOver, noteListed } from '../migration/moved-keys.js'
import { insertContribution } from '../state/contribution-table.js'
import { findJob } from '../state/job-table.js'
import { until } from '../testing/ask.js'
import { chainContribution } from '../testing/job-fixture.js'
import { headAt, listedNode, nodeWorkWorld, workKeys } from '../testing/node-work-world.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import type { NodeWork } from './node-work.js'

let here: Awaited<ReturnType<typeof nodeWorkWorld>>
let work: NodeWork | undefined
/** Reads of a job's state: what a job that is taken up does first. */
let taken: number
const stoppedWork: IncidentRecord = { kinds: ['workload'], openedAt: 1, stopped: true, epochs: {} }
const closed = { state: 'Cancelled', suspended: false, node: null, drawn: false }
const jobState = async () => {
  taken += 1
  return closed
}
beforeEach(async () => {
  here = await nodeWorkWorld()
  taken = 0
})
afterEach(async () => {
  await work?.stop()
  work = undefined
  await here.store.close()
})

/** Waits until the chain was read so often since: every loop has then looked at least once. */
const roundsOf = (reads: () => number) => {
  const from = reads()
  return until('several rounds', async () => reads() >= from + 6)
}

describe('jobs', () => {
  it('are not moved before the chain is read to its head: a charge that the disk forgot could not be noticed', async () => {
    await here.paidJob('1')
    let head = 3n
    let rounds = 0
    const allowed: (boolean | undefined)[] = []
    work = here.start({
      head: async () => {
        rounds += 1
        if (rounds <= 5) allowed.push(work?.mayWork())
        // One block comes with every round, so the head is not reached, until it is let stand.
        if (rounds <= 5) head += 1n
        return headAt(head)
      },
      jobState: async () => {
        expect(rounds).toBeGreaterThan(5)
        return jobState()
      },
    })
    await until('the job was taken up', async () => taken > 0)
    expect(rounds).toBeGreaterThan(5)
    // Nor are other homes given anything.
    expect(allowed).toHaveLength(5)
    expect(allowed.some((may) => may === true)).toBe(false)
    expect(allowed).toContain(false)
    expect(work.mayWork()).toBe(true)
  })

  it('are moved on a chain that has another block whenever it is looked at', async () => {
    await here.paidJob('1')
    let head = -1n
    work = here.start({ head: async () => headAt(++head), jobState }, { blocksPerRead: 16 })
    await until('the job was taken up', async () => taken > 0)
    expect(work.mayWork()).toBe(true)
  })

  it('are not taken up while the registry is kept from the node: what it said before counts no more', async () => {
    await here.paidJob('1')
    let withheld = 0
    let withhold = false
    work = here.start({
      jobState,
      node: async () => {
        if (!withhold) return listedNode
        withheld += 1
        throw new Error('the registry is kept from it')
      },
    })
    await until('the job was taken up', async () => taken > 0)
    withhold = true
    const before = taken
    await here.paidJob('2')
    await until('asked again', async () => withheld >= 6)
    expect(taken).toBe(before)
    withhold = false
    await until('the next job was taken up', async () => taken > before)
  })

  it('are not taken up in an incident, nor when one begins while the budgets are compared with the chain', async () => {
    await here.paidJob('1')
    let stopped = true
    let heads = 0
    let duringRound = false
    work = here.start(
      {
        jobState,
        head: async () => {
          heads += 1
          return headAt(0n)
        },
        anchoredHead: async () => {
          if (duringRound) stopped = true
          return null
        },
      },
      {
        incident: {
          current: () => (stopped ? stoppedWork : null),
          firstEpoch: () => 1,
          reasons: () => [],
        },
      },
    )
    await roundsOf(() => heads)
    expect([taken, work.underWay(), work.mayWork()]).toEqual([0, 0, false])
    duringRound = true
    stopped = false
    await until('the incident has begun', async () => stopped)
    await roundsOf(() => heads)
    expect(taken).toBe(0)
    duringRound = false
    stopped = false
    await until('the job was taken up', async () => taken > 0)
  })
})

describe('what is under way', () => {
  it('is a round that ingests, a job, and a job of another node; one that only reads the chain is not', async () => {
    let stopped = false
    const seen: number[] = []
    const current = () => (stopped ? stoppedWork : null)
    const look = () => {
      if (work !== undefined) seen.push(work.underWay())
    }
    let open = 0
    const served = {
      figures: () => ({ hand_offs_open: open }),
      sweep: async () => undefined,
      close: async () => undefined,
    }
    work = here.start(
      {
        node: async () => {
          look()
          return { ...listedNode, active: false }
        },
      },
      {
        served: served as unknown as HandOffServer,
        incident: { current, firstEpoch: () => 1, reasons: () => [] },
      },
    )
    await until('rounds', async () => seen.length > 3)
    expect(new Set(seen)).toEqual(new Set([1]))
    stopped = true
    await until('none is under way', async () => work?.underWay() === 0)
    seen.length = 0
    await until('rounds', async () => seen.length > 3)
    expect(new Set(seen)).toEqual(new Set([0]))
    open = 2
    expect(work.underWay()).toBe(2)
  })

  it('is a job as long as it is', async () => {
    await here.paidJob('1')
    let letGo: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    let stopped = false
    const current = () => (stopped ? stoppedWork : null)
    work = here.start(
      {
        jobState: async () => {
          taken += 1
          await held
          return closed
        },
      },
      { incident: { current, firstEpoch: () => 1, reasons: () => [] } },
    )
    try {
      await until('the job was taken up', async () => taken > 0)
      stopped = true
      await until('only the job is under way', async () => work?.underWay() === 1)
    } finally {
      letGo()
    }
    await until('nothing is under way', async () => work?.underWay() === 0)
  })
})

describe('a hand-off that nobody needs', () => {
  it('is ended by the round that signs erasures, job or no job', async () => {
    const key = digestOfDigit('e')
    const row = { attempt: 0, turnAt: 1, reachedAt: 1, key, parts: null, transfer: null, left: [] }
    await keepHandOff(here.store, '999', row)
    const ended: string[] = []
    const handOff: HandOffHome = {
      mostShards: 20,
      judgesGpus: false,
      visit: async () => 'home',
      requireRunner: async () => undefined,
      removeFiles: async () => undefined,
      end: async (id) => {
        ended.push(id)
        await forgetHandOff(here.store, id)
      },
    }
    work = here.start({}, { context: { handOff } })
    await until('it is ended', async () => ended.length > 0)
    expect(ended).toEqual(['999'])
  })
})

describe('a state that other nodes remember', () => {
  it('is worked on only once they have said that it is the newest', async () => {
    let isConfirmed = false
    let reads = 0
    const reason = 'PEERS_SILENT: 0 of 1'
    await here.paidJob('1')
    const chain = {
      jobState,
      node: async () => {
        reads += 1
        return listedNode
      },
    }
    const heads = {
      confirmed: () => isConfirmed,
      reasons: () => (isConfirmed ? [] : [reason]),
      notes: () => ['one is silent'],
    }
    work = here.start(chain, { heads })
    const { service, mayWork } = work
    await roundsOf(() => reads)
    expect([taken, mayWork(), service.unconfirmed?.()]).toEqual([0, false, true])
    expect(service.notReady()).toContain(reason)
    expect(await here.store.query('select * from chain_cursor')).toEqual([])
    isConfirmed = true
    await until('it works', async () => taken > 0)
    expect([service.unconfirmed?.(), service.notReady().includes(reason), service.notes?.()]).toEqual([
      false,
      false,
      ['one is silent'],
    ])
  })
})

describe('keys that go elsewhere', () => {
  const successor = digestOfDigit('3')

  it('end all work, also that for other nodes', async () => {
    let ended = 0
    const served = {
      figures: () => ({}),
      sweep: async () => undefined,
      close: async () => {
        ended += 1
      },
    }
    work = here.start({}, { served: served as unknown as HandOffServer })
    expect([work.ended(), work.service.keysMoved?.()]).toEqual([false, false])
    await work.endWork()
    expect([ended, work.ended(), work.service.keysMoved?.()]).toEqual([1, true, true])
  })

  it('are with a successor for as long as the registry lists it: a reorganisation gives them back', async () => {
    await noteListed(here.store, workKeys.keySetDigest)
    let record: object = { ...listedNode, keySetDigest: successor, measurement: '0x01' }
    let reads = 0
    await here.paidJob('1')
    work = here.start({
      jobState,
      node: async () => {
        reads += 1
        return record
      },
    })
    await until('it has noticed', async () => work?.service.keysMoved?.() === true)
    await roundsOf(() => reads)
    expect([taken, work.service.notReady()]).toEqual([0, [expect.stringContaining('KEYS_MOVED')]])
    record = listedNode
    await until('it works again', async () => taken > 0)
    expect(work.service.keysMoved?.()).toBe(false)
  })

  it('that were handed over stay away, whatever the registry lists', async () => {
    await noteHandOver(here.store, { by: workKeys.keySetDigest, asker: digestOfDigit('4'), successor })
    await here.paidJob('1')
    work = here.start({ jobState }, { keysMoved: true })
    expect([work.ended(), work.service.keysMoved?.()]).toEqual([true, true])
    let sweeps = 0
    await work.stop()
    work = here.start(
      { jobState },
      {
        keysMoved: true,
        served: {
          figures: () => ({}),
          sweep: async () => {
            sweeps += 1
          },
          close: async () => undefined,
        } as unknown as HandOffServer,
      },
    )
    await until('loops run', async () => sweeps > 3)
    expect(taken).toBe(0)
  })
})

describe('verdicts', () => {
  it('that came out otherwise when they were judged again keep the node from being ready', async () => {
    const { policyDigest, address } = here.pool
    await insertContribution(here.store, chainContribution())
    await here.store.run(`
      update contributions set state = 'refined';
      insert into verdict_audits (contribution, pool, state, known, retry_at) values (1, '${address}', 'differs', '{}', 1700003600);
    `)
    work = here.start({
      pool: async () => ({ policyDigest, keyEpoch: null, restrictions: [], pausedUntil: 0 }),
      publishPoolKey: async () => undefined,
    })
    const warning = 'VERDICTS_DIFFER: 1 verdicts came out otherwise when they were judged again'
    await until('it says so', async () => work?.service.notReady().includes(warning) === true)
    expect(work.service.figures()).toMatchObject({ verdicts_differing: 1 })
    await here.store.run(`update verdict_audits set state = 'same'`)
    await until('it is ready', async () => work?.service.notReady().includes(warning) === false)
  })
})

describe('pool keys', () => {
  it('are not sent while blocks still move: a read of them that counts for nothing is no head', async () => {
    const { policyDigest } = here.pool
    const order: string[] = []
    let reads = 0
    work = here.start(
      {
        head: async () => headAt(3n),
        // The last block is another one at each look, until it stands.
        blockHash: async (block: bigint) => {
          reads += 1
          return headAt(reads < 20 ? BigInt(1_000 + reads) : block).hash
        },
        pool: async () => ({ policyDigest, keyEpoch: null, restrictions: [], pausedUntil: 0 }),
        publishPoolKey: async () => {
          order.push(`sent after ${reads >= 20 ? 'the head was read' : `${reads} reads`}`)
        },
      },
      { blocksPerRead: 16 },
    )
    await until('sent', async () => order.length > 0)
    expect(order[0]).toBe('sent after the head was read')
  })

  it('stand on the chain before the node is ready, and are sent again when they did not get there', async () => {
    let sent = 0
    let letIn: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      letIn = resolve
    })
    const { policyDigest } = here.pool
    work = here.start({
      pool: async () => ({ policyDigest, keyEpoch: null, restrictions: [], pausedUntil: 0 }),
      publishPoolKey: async () => {
        sent += 1
        if (sent === 1) throw new Error('the endpoint is away')
        await gate
      },
    })
    const waits = 'the pool keys are not on the chain yet'
    try {
      await until('sent again', async () => sent === 2)
      // Whoever sees the key on the chain can ask for it at once; that is not to say that it is there.
      expect(work.service.pools()[0]?.key?.epoch).toBe(1)
      expect(work.service.notReady()).toContain(waits)
    } finally {
      letIn()
    }
    await until('ready', async () => work?.service.notReady().includes(waits) === false)
  })
})

describe('what is over', () => {
  it('is deleted by the loop, and told with what is declared', async () => {
    await here.paidJob('1')
    await here.store.query(`update jobs set state = 'closed', chain_state = 'Cancelled', manifest = '{}'`)
    work = here.start({}, { retention: { answerDays: 30 } })
    const { deletions, figures } = work.service
    await until('a list was signed', async () => (await deletions(1)).lists.length > 0)
    expect(await deletions(1)).toMatchObject({
      retention: { answerDays: 30, pools: { [here.pool.address]: null } },
      lists: [{ statement: { body: { number: 1, entries: [{ kind: 'answer', object: 'job 1' }] } } }],
    })
    expect((await findJob(here.store, '1'))?.manifest).toBeNull()
    expect(figures()).toMatchObject({ deletions_due: 0 })
  })
})
