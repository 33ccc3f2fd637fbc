import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { ChainPort } from '../chain/chain-port.js'
import { findJob } from '../state/job-table.js'
import { migrate } from '../state/migration.js'
import { storedLedger } from '../state/pglite-ledger.js'
import { openPgliteStore } from '../state/pglite-store.js'
import type { StateStore } from '../state/state-store.js'
import { engine, jobFixture, pool } from '../testing/job-fixture.js'
import type { JobContext } from './job-context.js'
import { advanceJob } from './run-job.js'

const kept = await openPgliteStore({ directory: 'memory' })
await migrate(kept)
afterAll(() => kept.close())
const world = jobFixture(kept)
beforeEach(() => world.reset())

/* A node is killed after each thing that it does for a job, before it hears of it: each transaction and each statement on its store,
 * each call to the chain. What is in memory is gone; another process goes on with the store and the chain as they are. */

class Killed extends Error {}

/**
 * @param lives steps until the kill
 * @param words what was said to the chain to release or refuse the job
 */
function mortal(lives: number, words: string[]) {
  let steps = 0
  let dead = false
  const step = async <T>(act: () => Promise<T>): Promise<T> => {
    if (dead) throw new Killed()
    steps += 1
    const last = steps === lives
    dead ||= last
    const done = await act()
    if (last) throw new Killed()
    return done
  }
  const store: StateStore = {
    ...kept,
    query: (...asked) => step(() => kept.query(...asked)),
    run: (...asked) => step(() => kept.run(...asked)),
    transaction: (act) => step(() => kept.transaction(act)),
  }
  const chain = new Proxy(world.chain, {
    get: (target, name) => {
      const own: unknown = Reflect.get(target, name)
      if (typeof own !== 'function') return own
      return (...asked: unknown[]) =>
        step(async () => {
          if (name === 'releaseJob' || name === 'refuseJob') words.push(JSON.stringify([name, ...asked]))
          return own(...asked)
        })
    },
  }) as unknown as ChainPort
  return { store, chain, died: () => dead }
}

/** Runs a job, killed at one step, to its end; what it stood at when it was taken up again. */
async function killedAt(
  lives: number,
  open: JobContext['openEngine'],
): Promise<{
  readonly died: boolean
  readonly state: string | undefined
  readonly words: readonly string[]
}> {
  await world.reset()
  world.chain.anchors = true
  const id = await world.paid()
  const words: string[] = []
  const { store, chain, died } = mortal(lives, words)
  const next = mortal(Number.POSITIVE_INFINITY, words)
  const ended = await advanceJob(world.context(open, { store, chain }), id).catch((error: unknown) => {
    // Whatever a dead process still says: it was the kill.
    if (!died()) throw error
    return undefined
  })
  const state = (await findJob(kept, id))?.state
  if (ended === undefined || ended.state !== state) {
    for (let turn = 0; turn < 3; turn++)
      await advanceJob(world.context(open, { store: next.store, chain: next.chain }), id)
  }
  return { died: died(), state, words }
}

const broken = () =>
  engine({
    query: async () => {
      throw new Error('the engine fails')
    },
  })

describe.each([
  ['is answered', () => engine(), 'settled'],
  ['is refused after its charge', broken, 'refused'],
] as const)('a job that %s', (_name, open, end) => {
  it('and whose node is killed after any of its steps is charged once and told once', {
    timeout: 120_000,
  }, async () => {
    const seen = new Set<string | undefined>()
    let lives = 0
    for (let died = true; died; ) {
      lives += 1
      const killed = await killedAt(lives, open)
      died = killed.died
      seen.add(killed.state)
      const job = await findJob(kept, '1')
      expect([lives, job?.state]).toEqual([lives, end])
      const { state } = await storedLedger(kept).head(pool.address)
      expect([lives, state.epsilonSpent, state.version]).toEqual([lives, '1', 1])
      const rows = await kept.query('select count(*)::int as count from receipts')
      expect([lives, rows[0]?.['count']]).toEqual([lives, 1])
      // It may be said twice, which the contract takes once; another word would cost the node its key.
      expect([lives, new Set(killed.words).size]).toEqual([lives, 1])
      expect(world.chain.anchored).toHaveLength(1)
    }
    expect(lives).toBeGreaterThan(10)
    // Every state in which a job can be for longer than one statement was met.
    const met =
      end === 'settled'
        ? ['waiting', 'running', 'charged', 'released', 'settled']
        : ['waiting', 'running', 'refusing', 'refused']
    for (const state of met) expect([...seen]).toContain(state)
  })
})
