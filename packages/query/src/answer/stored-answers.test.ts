import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMemoryLedger, createMemoryStorage, platformRandom } from '@sealpool/privacy'
import { openFileLedger } from '@sealpool/privacy/file-ledger'
import { afterAll, describe, expect, it } from 'vitest'
import { planQuery } from '../plan/plan-query.js'
import { testPools } from '../testing/pools.js'
import { loaded } from '../testing/tables.js'
import { answerer } from './answer-query.js'
import type { StoredAnswer } from './answer-store.js'
import { openStoredAnswers } from './stored-answers.js'

const root = mkdtempSync(join(tmpdir(), 'sealpool-answers-'))
afterAll(() => rmSync(root, { recursive: true }))

const made = (sql = 'SELECT count(*) FROM pay.workers') =>
  planQuery({ sql, pools: testPools(), budget: { epsilon: 1, delta: 0 } })
const answerOf = (value: number): StoredAnswer => ({
  job: `job ${value}`,
  result: {
    columns: [{ name: 'count', kind: 'count' }],
    rows: [[value]],
    intervals: [[{ low: 0, high: 1, confidence: 0.95 }]],
    suppressedGroups: 'unknown',
    charge: { pay: { epsilon: 1, delta: 0 } },
    notes: ['é\n'],
  },
})

describe('answers on a storage', () => {
  it('are there again after it is opened again, the same to the last digit', async () => {
    const { storage, bytes } = createMemoryStorage()
    const store = await openStoredAnswers(storage)
    expect(await store.get('a')).toBeNull()
    for (const [key, value] of [
      ['a', 0.1 + 0.2],
      ['__proto__', -5],
    ] as const)
      await store.put(key, answerOf(value))
    await store.close()
    const again = await openStoredAnswers(createMemoryStorage(bytes()).storage)
    expect(await again.get('a')).toEqual(answerOf(0.1 + 0.2))
    expect(await again.get('__proto__')).toEqual(answerOf(-5))
    expect(await again.get('b')).toBeNull()
  })

  it('have one answer for a key, also when two come at once', async () => {
    const store = await openStoredAnswers(createMemoryStorage().storage)
    const outcomes = await Promise.allSettled([store.put('a', answerOf(1)), store.put('a', answerOf(2))])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    expect(await store.get('a')).toEqual(answerOf(1))
    await expect(store.put('a', answerOf(3))).rejects.toMatchObject({ code: 'ANSWERS_UNAVAILABLE' })
  })

  it('are not given before the disk has them, nor when it refuses them', async () => {
    const { storage } = createMemoryStorage()
    const store = await openStoredAnswers({
      ...storage,
      append: async (added) => {
        if (added.length > 100) throw new Error('disk full')
        await storage.append(added)
      },
    })
    const ledger = createMemoryLedger()
    for (const { address, policy } of testPools()) await ledger.open(address, policy.privacy)
    const engine = await loaded({ workers: [], persons: [], rides: [] })
    const answer = answerer({ ledger, engine, answers: store, random: platformRandom, dataVersion: '1' })
    await expect(answer(await made())).rejects.toMatchObject({ code: 'ANSWERS_UNAVAILABLE' })
    expect((await ledger.head(testPools()[0]?.address ?? '')).state.epsilonSpent).toBe('1')
    await engine.close()
  })

  it.each([
    ['{"key":"a"}'],
    ['{"key":"a","answer":{"job":"1"}}'],
    ['[]'],
    ['null'],
    [JSON.stringify({ key: 'a', answer: { ...answerOf(1), extra: 1 } })],
  ])('are refused when a record is none: %s', async (record) => {
    const { storage, bytes } = createMemoryStorage()
    const { openRecordLog } = await import('@sealpool/privacy')
    const log = await openRecordLog(storage, { format: 'sealpool/answers' })
    await log.append(JSON.parse(record))
    await expect(openStoredAnswers(createMemoryStorage(bytes()).storage)).rejects.toMatchObject({
      code: 'ANSWERS_DAMAGED',
    })
  })

  it('are refused when a key is answered twice or a byte was changed', async () => {
    const { storage, bytes } = createMemoryStorage()
    const { openRecordLog } = await import('@sealpool/privacy')
    const log = await openRecordLog(storage, { format: 'sealpool/answers' })
    await log.append({ key: 'a', answer: answerOf(1) })
    const image = bytes()
    image[image.length - 20] = 0x58
    await log.append({ key: 'a', answer: answerOf(2) })
    for (const bad of [bytes(), image]) {
      await expect(openStoredAnswers(createMemoryStorage(bad).storage)).rejects.toMatchObject({
        code: 'ANSWERS_DAMAGED',
      })
    }
  })
})

const child = fileURLToPath(new URL('../testing/answering-child.mjs', import.meta.url))
const built = fileURLToPath(new URL('../../dist/index.js', import.meta.url))

/** Runs the child until it says where it is; then it is killed, or it has ended by itself. */
function run(folder: string, planFile: string, where: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [child, folder, planFile, where], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    running.stdout.on('data', (bytes: Uint8Array) => {
      said += String(bytes)
      if (said === 'here\n') running.kill('SIGKILL')
    })
    running.on('error', reject)
    running.on('exit', () => resolve(said))
  })
}

describe.skipIf(!existsSync(built))('a process that is killed', () => {
  it.each([
    // Where it is killed, and what asking again costs in all.
    ['engine', 2],
    ['torn', 2],
    ['put', 1],
  ] as const)('at %s keeps the charge; asking again makes %i charges', async (where, charges) => {
    const folder = mkdtempSync(join(root, `${where}-`))
    const planFile = join(folder, 'plan.json')
    writeFileSync(planFile, JSON.stringify(await made()))
    const spent = async () => {
      const ledger = await openFileLedger({ path: join(folder, 'budget.jsonl') })
      const { state } = await ledger.head(testPools()[0]?.address ?? '')
      await ledger.close()
      return state.epsilonSpent
    }
    expect(await run(folder, planFile, where)).toBe('here\n')
    expect(await spent()).toBe('1')
    const kept = readFileSync(join(folder, 'answers.jsonl'), 'utf8')
    const first = await run(folder, planFile, 'end')
    expect(JSON.parse(first)).toMatchObject({ charged: charges === 2 })
    if (where === 'put') expect(kept).toContain(JSON.stringify(JSON.parse(first).rows).slice(1, -1))
    expect(await spent()).toBe(String(charges))
    // From now on it is one answer, in every process.
    const second = JSON.parse(await run(folder, planFile, 'end')) as { rows: unknown; charged: boolean }
    expect(second).toEqual({ ...JSON.parse(first), charged: false })
    expect(await spent()).toBe(String(charges))
  })
})
