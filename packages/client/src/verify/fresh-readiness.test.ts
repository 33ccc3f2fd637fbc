import { describe, expect, test } from 'vitest'
import { at, deployment, node, nonce, policy, pool } from '../testing/simulated-pool.js'
import { freshReadiness } from './fresh-readiness.js'
import { type Readiness, verifyPool } from './verified-pool.js'

const good = (): Readiness =>
  verifyPool({
    policy,
    pool,
    chainId: deployment.chainId,
    nodeRegistry: deployment.nodeRegistry,
    served: node.answer(),
    evidence: node.evidence(),
    nonce,
    chain: node.facts(),
    at,
  })
const yes = good()
const no: Readiness = { ...yes, ok: false, pool: undefined }

function world(maximumAgeMs = 1_000) {
  const state = {
    answers: [] as (Readiness | Error)[],
    now: at.getTime(),
    unchanged: true,
    asked: 0,
    verified: 0,
  }
  const fresh = freshReadiness({
    async verify() {
      state.verified += 1
      const answer = state.answers.shift() ?? yes
      if (answer instanceof Error) throw answer
      return answer
    },
    async unchanged() {
      state.asked += 1
      return state.unchanged
    },
    now: () => new Date(state.now),
    maximumAgeMs,
  })
  return { state, fresh }
}

/** A promise that ends when the test says so. */
function gate<Value>() {
  let open: (value: Value) => void = () => undefined
  const promise = new Promise<Value>((resolve) => {
    open = resolve
  })
  return { promise, open }
}

describe('freshReadiness', () => {
  test('verifies before the first answer and reuses a yes, asking the chain each time', async () => {
    const { state, fresh } = world()
    expect(await fresh.current()).toBe(yes)
    expect(state).toMatchObject({ verified: 1, asked: 0 })
    expect(await fresh.current()).toBe(yes)
    expect(state).toMatchObject({ verified: 1, asked: 1 })
  })

  test('verifies again when the answer is older than allowed, to the millisecond', async () => {
    const { state, fresh } = world()
    await fresh.verify()
    state.now += 1_000
    await fresh.current()
    expect(state.verified).toBe(1)
    state.now += 1
    await fresh.current()
    expect(state.verified).toBe(2)
  })

  test('verifies again from the moment at which a part of the evidence is stale', async () => {
    const { state, fresh } = world(Number.MAX_SAFE_INTEGER)
    const until = Date.parse(yes.pool?.validUntil ?? '')
    expect(until).toBeGreaterThan(at.getTime())
    await fresh.verify()
    state.now = until - 1
    await fresh.current()
    expect(state.verified).toBe(1)
    state.now = until
    await fresh.current()
    expect(state.verified).toBe(2)
  })

  test('knows evidence without such a moment', async () => {
    const { state, fresh } = world(Number.MAX_SAFE_INTEGER)
    if (yes.pool === undefined) throw new Error('the fixture does not verify')
    state.answers = [{ ...yes, pool: { ...yes.pool, validUntil: null } }]
    await fresh.verify()
    state.now += 400 * 86_400_000
    await fresh.current()
    expect(state.verified).toBe(1)
  })

  test('verifies every time when told to, also twice in one millisecond', async () => {
    const { state, fresh } = world(0)
    await fresh.current()
    await fresh.current()
    expect(state.verified).toBe(2)
  })

  test('verifies again when the clock was set back', async () => {
    const { state, fresh } = world()
    await fresh.verify()
    state.now -= 1
    await fresh.current()
    expect(state.verified).toBe(2)
  })

  test('verifies again when the chain changed', async () => {
    const { state, fresh } = world()
    await fresh.verify()
    state.unchanged = false
    state.answers = [no]
    expect(await fresh.current()).toBe(no)
    expect(state.verified).toBe(2)
  })

  test('never reuses a no, nor a yes from before a no or a failure', async () => {
    for (const later of [no, new Error('the node is away')]) {
      const { state, fresh } = world()
      state.answers = [yes, later]
      await fresh.verify()
      await fresh.verify().catch(() => undefined)
      expect(await fresh.current()).toBe(yes)
      expect(state.verified).toBe(3)
    }
  })

  test('calls at the same time share one verification, verify() never shares', async () => {
    const { state, fresh } = world()
    await Promise.all([fresh.current(), fresh.current(), fresh.current()])
    expect(state.verified).toBe(1)
    await Promise.all([fresh.verify(), fresh.verify()])
    expect(state.verified).toBe(3)
  })

  test('a failure is shared too, and the next call tries again', async () => {
    const { state, fresh } = world()
    state.answers = [new Error('away')]
    const both = await Promise.allSettled([fresh.current(), fresh.current()])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await fresh.current()).toBe(yes)
  })

  test('a slow yes that began before a no does not replace it', async () => {
    const slow = gate<Readiness>()
    const waiting = [slow.promise, Promise.resolve(no), Promise.resolve(no)]
    const fresh = freshReadiness({
      verify: () => waiting.shift() ?? Promise.resolve(no),
      unchanged: async () => true,
      now: () => at,
      maximumAgeMs: 1_000,
    })
    const first = fresh.verify()
    await fresh.verify()
    slow.open(yes)
    expect(await first).toBe(yes)
    expect(await fresh.current()).toBe(no)
  })

  test('a no that comes while the chain is asked counts', async () => {
    const asked = gate<boolean>()
    const answers = [yes, no, no]
    const fresh = freshReadiness({
      verify: async () => answers.shift() ?? no,
      unchanged: () => asked.promise,
      now: () => at,
      maximumAgeMs: 1_000,
    })
    await fresh.verify()
    const current = fresh.current()
    await fresh.verify()
    asked.open(true)
    expect(await current).toBe(no)
  })
})
