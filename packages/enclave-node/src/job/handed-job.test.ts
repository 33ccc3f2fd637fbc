import { parseJobManifest } from '@sealpool/compute'
import type { JsonObject, JsonValue } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { HandOffHome } from '../hand-off/hand-off-home.js'
import { forgetHandOff, handedOffJobs, keepHandOff } from '../hand-off/kept-hand-off.js'
import { handOffTidier, type TidyHandOffsOptions } from '../hand-off/tidy-hand-offs.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { openPgliteStore } from '../state/pglite-store.js'
import { engine, jobFixture, manifest } from '../testing/job-fixture.js'
import { notedSteps } from '../testing/noted-steps.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { JobPutOff, JobRefusal } from './job-refusal.js'
import { previewPlan, previewPrice } from './request-run.js'
import { advanceJob } from './run-job.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
const world = jobFixture(store)
const ended: string[] = []
beforeEach(async () => {
  await world.reset()
  ended.length = 0
})

const handed = (change: object = {}): JsonValue =>
  manifest({
    handOff: {
      measurements: [`0x${'ab'.repeat(32)}`],
      expiresAt: 1_800_000_000,
      fallback: 'none',
      ...change,
    },
  })
const thereIsOne: HandOffHome['requireRunner'] = async () => undefined
/** @param visit what the other node has come to */
const home = (visit: HandOffHome['visit']): { readonly handOff: HandOffHome } => ({
  handOff: {
    mostShards: 20,
    judgesGpus: false,
    requireRunner: thereIsOne,
    visit,
    removeFiles: async () => undefined,
    end: async (id) => {
      ended.push(id)
    },
  },
})
const answer = { columns: [], rows: [] }
const work = {
  statement: { type: 'sealpool/work', version: 1, body: { job: '1' } },
} as never
const done: HandOffHome['visit'] = async () => ({
  answer,
  handOff: { node: addressOfDigit('c'), keySet: digestOfDigit('d'), isolation: 'theirs', work },
})
const never: HandOffHome['visit'] = async () => {
  throw new Error('not asked here')
}
const noEngine = () =>
  engine({
    query: async () => {
      throw new Error('the home node looked itself')
    },
  })

const twice = (code: string) => [code, code]

describe('a job that is to run elsewhere', () => {
  it('is refused before it is charged when this node knows nobody to run it', async () => {
    const id = await world.paid(handed())
    const job = await advanceJob(world.context(noEngine), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'HAND_OFF_NOT_SERVED' })
    expect(await world.spent()).toBe('0')
    expect(world.chain.calls).toEqual(['refuse'])
  })

  it('is refused before it is charged when its time is over', async () => {
    const id = await world.paid(handed({ expiresAt: 1_700_000_000 }))
    const job = await advanceJob(world.context(noEngine, home(never)), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'HAND_OFF_OVER' })
    expect(await world.spent()).toBe('0')
  })

  it('is refused by plans and prices for the reasons that it would be refused for', async () => {
    const ask = async (asked: JsonValue, context: ReturnType<typeof world.context>) => {
      const wish = parseJobManifest(asked)
      const answers = [await previewPlan(context, wish), await previewPrice(context, wish)]
      return answers.map((one) => (one.ok ? 'ok' : refusalOf(one.receipt.statement.body)))
    }
    const refusalOf = (body: JsonObject) => (body['refusal'] as JsonObject)['code']
    const knowsOne = world.context(noEngine, home(never))
    const over = { expiresAt: 1_700_000_000 }
    expect(await ask(handed(), world.context(noEngine))).toEqual(twice('HAND_OFF_NOT_SERVED'))
    expect(await ask(handed(over), knowsOne)).toEqual(twice('HAND_OFF_OVER'))
    expect(await ask(handed(), knowsOne)).toEqual(twice('ok'))
    expect(await ask(handed({ fallback: 'home' }), world.context(noEngine))).toEqual(twice('ok'))
    expect(await ask(handed({ ...over, fallback: 'home' }), knowsOne)).toEqual(twice('ok'))
    expect(await world.spent()).toBe('0')
  })

  it('waits, and costs nothing, while no node that it names can be attested', async () => {
    const id = await world.paid(handed())
    let away = true
    const requireRunner: HandOffHome['requireRunner'] = async ({ manifest: asked, planned }) => {
      expect([asked.handOff?.fallback, planned.charges.length]).toEqual(['none', 1])
      if (away) throw new JobPutOff('HAND_OFF_WAITS', 'no node runs it now')
    }
    const { handOff } = home(done)
    const context = world.context(noEngine, { handOff: { ...handOff, requireRunner } })
    expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'HAND_OFF_WAITS' })
    expect([await world.spent(), world.chain.calls]).toEqual(['0', []])
    away = false
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('1')
  })

  it('has nobody asked when it is refused here anyway', async () => {
    const id = await world.paid(handed())
    await store.query('delete from contributions where id > 1')
    const requireRunner: HandOffHome['requireRunner'] = async () => {
      throw new Error('not asked here')
    }
    const context = world.context(noEngine, { handOff: { ...home(never).handOff, requireRunner } })
    expect(await advanceJob(context, id)).toMatchObject({ state: 'refused', reason: 'TOO_FEW_CONTRIBUTORS' })
  })

  it('is asked for no runner when it may run here in the end', async () => {
    const id = await world.paid(handed({ fallback: 'home' }))
    const requireRunner: HandOffHome['requireRunner'] = async () => {
      throw new Error('not asked here')
    }
    const { handOff } = home(done)
    const context = world.context(noEngine, { handOff: { ...handOff, requireRunner } })
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
  })

  it.each(['none', 'home'])(
    'is refused before it is charged when it may be elsewhere until its deadline (fallback %s)',
    async (fallback) => {
      world.chain.deadline = 1_800_000_000
      const id = await world.paid(handed({ fallback }))
      const job = await advanceJob(world.context(noEngine, home(never)), id)
      expect(job).toMatchObject({ state: 'refused', reason: 'HAND_OFF_PAST_DEADLINE' })
      expect(await world.spent()).toBe('0')
      await world.reset()
      world.chain.deadline = 1_800_000_001
      const next = await world.paid(handed({ fallback }))
      expect(await advanceJob(world.context(noEngine, home(done)), next)).toMatchObject({ state: 'settled' })
    },
  )

  it('runs here when its manifest allows it and this node knows nobody', async () => {
    const id = await world.paid(handed({ fallback: 'home' }))
    expect(await advanceJob(world.context(), id)).toMatchObject({ state: 'settled' })
    expect((await world.receiptOf(id)).handOff).toBeUndefined()
  })

  it('runs here when nobody did in time and its manifest allows it', async () => {
    const id = await world.paid(handed({ fallback: 'home' }))
    const job = await advanceJob(
      world.context(
        () => engine(),
        home(async () => 'home'),
      ),
      id,
    )
    expect(job).toMatchObject({ state: 'settled' })
  })

  it('waits, charged, while another node has it; then its receipt names that node', async () => {
    const id = await world.paid(handed())
    let visits = 0
    const visit: HandOffHome['visit'] = async (asked) => {
      visits += 1
      if (visits < 3) throw new JobPutOff('HANDED_OFF', 'another node has it', undefined, 2)
      return done(asked)
    }
    const { steps, trace } = notedSteps()
    const context = world.context(noEngine, { ...home(visit), trace })
    for (let round = 0; round < 2; round += 1) {
      expect(await advanceJob(context, id)).toMatchObject({ state: 'waiting', reason: 'HANDED_OFF' })
      expect(await world.spent()).toBe('1')
    }
    const [row] = await store.query('select retry_at from jobs where id = $1', [id])
    expect(Number(row?.['retry_at'])).toBe(1_700_000_002)
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('1')
    expect(world.chain.calls).toEqual(['start', 'release', 'settle'])
    expect(ended).toEqual([id])
    const about = { job: id, manifest: (await findJob(store, id))?.manifestDigest }
    const noted = (name: string) => steps.filter((step) => step[0] === name).map(([, facts]) => facts)
    expect(noted('job.visit')).toEqual([about, about, about])
    expect(noted('job.deliver')).toEqual([about])
    expect(await world.receiptOf(id)).toMatchObject({
      isolation: 'theirs',
      handOff: {
        node: addressOfDigit('c'),
        keySet: digestOfDigit('d'),
        work: expect.stringMatching(/^sha256:/),
      },
    })
  })

  it('ends there when it fails here', async () => {
    const id = await world.paid(handed())
    const visit: HandOffHome['visit'] = async () => {
      throw JobRefusal.of('EXECUTION_FAILED')
    }
    const job = await advanceJob(world.context(noEngine, home(visit)), id)
    expect(job).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(await world.spent()).toBe('1')
    expect(ended).toEqual([id])
  })

  it('ends there when an owner takes back what it was given', async () => {
    const id = await world.paid(handed())
    const waiting: HandOffHome['visit'] = async () => {
      throw new JobPutOff('HANDED_OFF', 'another node has it', undefined, 0)
    }
    const context = world.context(noEngine, home(waiting))
    await advanceJob(context, id)
    await store.query(`update refinements set state = 'superseded'`)
    expect(await advanceJob(context, id)).toMatchObject({ state: 'refused', reason: 'EXECUTION_FAILED' })
    expect(ended).toEqual([id])
  })

  it('ends there when the chain ends it', async () => {
    const id = await world.paid(handed())
    const waiting: HandOffHome['visit'] = async () => {
      throw new JobPutOff('HANDED_OFF', 'another node has it', undefined, 0)
    }
    const context = world.context(noEngine, home(waiting))
    await advanceJob(context, id)
    world.chain.state = 'Expired'
    expect(await advanceJob(context, id)).toMatchObject({ state: 'closed' })
    expect(ended).toEqual([id])
    expect((await findJob(store, id))?.receipt).toBeNull()
  })

  it('never leaves when its manifest says nothing of it', async () => {
    const id = await world.paid()
    expect(
      await advanceJob(
        world.context(() => engine(), home(never)),
        id,
      ),
    ).toMatchObject({ state: 'settled' })
  })
})

describe('an incident that begins while a job runs', () => {
  const stops = () => {
    const state = { stopped: false }
    return { state, context: { stopped: () => state.stopped } }
  }
  it('has nothing stored of its answer, and the job goes on when the incident is over', async () => {
    const id = await world.paid(handed())
    const { state, context } = stops()
    const visit: HandOffHome['visit'] = async (asked) => {
      state.stopped = true
      return done(asked)
    }
    const all = { ...world.context(noEngine, home(visit)), ...context }
    expect(await advanceJob(all, id)).toMatchObject({ state: 'waiting', reason: 'NODE_STOPPED' })
    expect(world.chain.calls).toEqual(['start'])
    state.stopped = false
    const again = { ...world.context(noEngine, home(done)), ...context }
    expect(await advanceJob(again, id)).toMatchObject({ state: 'settled' })
    expect(await world.spent()).toBe('1')
  })

  it('has nothing released that was stored already', async () => {
    const id = await world.paid(handed())
    const { state, context } = stops()
    const all = world.context(noEngine, {
      handOff: {
        mostShards: 20,
        judgesGpus: false,
        requireRunner: thereIsOne,
        visit: done,
        removeFiles: async () => undefined,
        // It is ended when its answer is stored.
        end: async () => {
          state.stopped = true
        },
      },
    })
    expect(await advanceJob({ ...all, ...context }, id)).toMatchObject({ state: 'charged' })
    expect(await findJob(store, id)).toMatchObject({ reason: 'NODE_STOPPED' })
    expect(world.chain.calls).toEqual(['start'])
    expect(await advanceJob(world.context(noEngine, home(never)), id)).toMatchObject({ state: 'settled' })
  })
})

describe('an incident that has begun', () => {
  const stoppedContext = () => ({ ...world.context(), stopped: () => true })

  it('has no job charged', async () => {
    const id = await world.paid()
    expect(await advanceJob(stoppedContext(), id)).toMatchObject({ state: 'waiting', reason: 'NODE_STOPPED' })
    expect(await world.spent()).toBe('0')
    expect(await advanceJob(world.context(), id)).toMatchObject({ state: 'settled' })
  })

  it.each([
    ['a start that a reorganisation undid', 'charged', 'Funded'],
    ['a release', 'charged', 'Running'],
    ['a settlement', 'released', 'Released'],
    ['a refusal', 'refusing', 'Running'],
  ] as const)('has nothing sent: not %s', async (_, state, onChain) => {
    const refusing = state === 'refusing'
    const id = await world.paid(refusing ? handed() : undefined)
    expect((await advanceJob(world.context(), id))?.state).toBe(refusing ? 'refused' : 'settled')
    await store.query('update jobs set state = $1 where id = $2', [state, id])
    world.chain.state = onChain
    world.chain.calls.length = 0
    expect(await advanceJob(stoppedContext(), id)).toMatchObject({ state })
    expect(world.chain.calls).toEqual([])
  })
})

describe('a hand-off that a kill has left behind', () => {
  const tidyHandOffs = (context: TidyHandOffsOptions['context']) =>
    handOffTidier({
      context,
      enough: () => new Promise(() => undefined),
      onError: (_, error) => {
        throw error
      },
    }).tidy()
  const row = {
    attempt: 0,
    turnAt: 1,
    reachedAt: 1,
    key: digestOfDigit('e'),
    parts: null,
    transfer: null,
    left: [],
  }
  const remembering = (visit: HandOffHome['visit']): { readonly handOff: HandOffHome } => ({
    handOff: {
      mostShards: 20,
      judgesGpus: false,
      requireRunner: thereIsOne,
      visit,
      removeFiles: async () => undefined,
      end: async (id) => {
        ended.push(id)
        await forgetHandOff(store, id)
      },
    },
  })

  it('is ended when the node comes back, though the answer is there already', async () => {
    const id = await world.paid(handed())
    const killed: HandOffHome = {
      mostShards: 20,
      judgesGpus: false,
      requireRunner: thereIsOne,
      visit: async (asked) => {
        await keepHandOff(store, id, row)
        return done(asked)
      },
      removeFiles: async () => undefined,
      end: async () => {
        throw new Error('killed')
      },
    }
    await expect(advanceJob(world.context(noEngine, { handOff: killed }), id)).rejects.toThrow('killed')
    expect(await findJob(store, id)).toMatchObject({ state: 'charged' })
    const context = world.context(noEngine, remembering(never))
    expect(await advanceJob(context, id)).toMatchObject({ state: 'settled' })
    expect(ended).toEqual([id])
  })

  it('is ended when the node comes back, though the job is refused already, and its receipt stands', async () => {
    const id = await world.paid(handed())
    const visit: HandOffHome['visit'] = async () => {
      await keepHandOff(store, id, row)
      throw JobRefusal.of('EXECUTION_FAILED')
    }
    const { handOff } = remembering(visit)
    const killed: HandOffHome = {
      ...handOff,
      end: async () => {
        throw new Error('killed')
      },
    }
    await expect(advanceJob(world.context(noEngine, { handOff: killed }), id)).rejects.toThrow('killed')
    const refused = await findJob(store, id)
    expect(refused).toMatchObject({ state: 'refusing', reason: 'EXECUTION_FAILED' })
    const context = world.context(noEngine, remembering(never))
    const after = await advanceJob(context, id)
    expect(after).toMatchObject({ state: 'refused', receipt: refused?.receipt })
    expect([ended, await handedOffJobs(store)]).toEqual([[id], []])
    expect(world.chain.calls).toEqual(['start', 'refuse'])
  })

  it('is ended for a job that is over, and for one whose inputs an owner took back, but for no other', async () => {
    const id = await world.paid(handed())
    const visit: HandOffHome['visit'] = async () => {
      await keepHandOff(store, id, row)
      throw new JobPutOff('HANDED_OFF', 'another node has it', undefined, 2)
    }
    const context = world.context(noEngine, remembering(visit))
    await advanceJob(context, id)
    expect(await tidyHandOffs(context)).toBe(0)
    await keepHandOff(store, '999', row)
    // Somebody else has ended it by the time that it is this one's turn.
    const late = { ...context, lock: (other: string, work: () => Promise<void>) => forget(other, work) }
    expect(await tidyHandOffs(late as typeof context)).toBe(0)
    await keepHandOff(store, '999', row)
    expect(await tidyHandOffs(context)).toBe(1)
    expect(ended).toEqual(['999'])
    // A job that the chain shows no more keeps no copies anywhere.
    await store.query('update jobs set detached = true where id = $1', [id])
    expect(await tidyHandOffs(context)).toBe(1)
    await store.query('update jobs set detached = false where id = $1', [id])
    await keepHandOff(store, id, row)
    await store.query('delete from refinements')
    expect(await tidyHandOffs(context)).toBe(1)
    expect(ended).toEqual(['999', id, id])
    expect(await handedOffJobs(store)).toEqual([])
  })
})

/** A lock that takes so long that the hand-off is over. */
async function forget(id: string, work: () => Promise<void>): Promise<void> {
  if (id === '999') await forgetHandOff(store, id)
  await work()
}
