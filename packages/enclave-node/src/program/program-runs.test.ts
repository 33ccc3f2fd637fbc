import type { JsonValue } from '@sealpool/crypto'
import { type Job, type RunResult, SandboxError } from '@sealpool/sandbox'
import { describe, expect, it } from 'vitest'
import { programInputBytes, programOutputBytes, programRuns } from './program-runs.js'

const gives = (output: JsonValue): RunResult => ({ ok: true, output, logs: ['wage 9.50'] })
const fails = (code: 'TIMEOUT' | 'THREW' | 'RUNTIME_LOST'): RunResult => ({
  ok: false,
  code,
  message: 'x',
  place: 'run',
})

/** Runs over a runtime that answers what it is told, one answer for each call, after so many milliseconds. */
function runsOf(answers: readonly (RunResult | Error)[], takes: readonly number[] = [], parallel = 1) {
  const jobs: Job[] = []
  const time = { now: 7_000, starts: [] as number[], onStart: (): void => undefined }
  const stopping = new AbortController()
  const runs = programRuns({
    runtime: {
      async run(job) {
        const answer = answers[jobs.length]
        time.starts.push(time.now)
        time.onStart()
        time.now += takes[jobs.length] ?? 0
        jobs.push(job)
        if (answer === undefined) throw new Error('it was asked once too often')
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    code: 'the code',
    entry: 'main',
    limits: { memoryBytes: 1_048_576, timeMs: 100, steps: 5 },
    parallel,
    slotMs: 1_100,
    clock: () => time.now,
    wait: async (milliseconds) => {
      time.now += Math.max(0, milliseconds)
    },
    begun: async () => undefined,
    stopping: stopping.signal,
  })
  return { runs, jobs, stopping, time }
}

describe('runs of a program', () => {
  it('are given code, entry, input and limits, and give the output alone', async () => {
    const { runs, jobs } = runsOf([gives({ mean: 3 })])
    expect(await runs.run({ argument: 1 })).toEqual({ mean: 3 })
    expect(jobs).toEqual([
      {
        code: 'the code',
        entry: 'main',
        input: { argument: 1 },
        limits: { memoryBytes: 1_048_576, timeMs: 100, steps: 5, outputBytes: programOutputBytes },
      },
    ])
  })

  it('that fail are no answer', async () => {
    const { runs } = runsOf([fails('THREW'), fails('TIMEOUT')])
    expect(await runs.run(1)).toBeNull()
    expect(await runs.run(2)).toBeNull()
  })

  it('that are lost are begun again', async () => {
    const away = new SandboxError('RUNTIME_UNAVAILABLE', 'process', 'x')
    const { runs, jobs } = runsOf([fails('RUNTIME_LOST'), away, gives({ mean: 3 })])
    expect(await runs.run('rows')).toEqual({ mean: 3 })
    expect(jobs.map(({ input }) => input)).toEqual(['rows', 'rows', 'rows'])
  })

  it('that are lost again and again are no answer, and end no other: code may have ended its own process', async () => {
    const lost = fails('RUNTIME_LOST')
    const { runs, jobs } = runsOf([lost, lost, lost, gives({ mean: 3 })])
    expect(await runs.run(1)).toBeNull()
    expect(jobs).toHaveLength(3)
    expect(await runs.run(2)).toEqual({ mean: 3 })
    expect(runs.outcomes()).toMatch(/^sha256:/)
  })

  it('that are lost late are not begun again: it would take longer than a run has', async () => {
    const { runs, jobs } = runsOf([fails('RUNTIME_LOST'), fails('RUNTIME_LOST')], [400, 101])
    expect(await runs.run(1)).toBeNull()
    expect(jobs).toHaveLength(2)
  })

  it('begin at moments that were fixed before the first, however long those before took', async () => {
    const four = Array.from({ length: 4 }, () => gives({ mean: 3 }))
    const { runs, time } = runsOf(four, [0, 1_100, 3])
    time.now += 20_000
    await runs.begin()
    for (let index = 0; index < 4; index++) await runs.run(index)
    expect(time.starts).toEqual([27_000, 28_100, 29_200, 30_300])
    const pairs = runsOf(four, [2, 2, 50], 2)
    for (let index = 0; index < 4; index++) await pairs.runs.run(index)
    expect(pairs.time.starts).toEqual([7_000, 7_002, 8_100, 8_150])
  })

  it('of rows that cannot be put to the code are no answer, and none is begun for too many', async () => {
    const wrong = new SandboxError('INPUT_NOT_JSON', 'input', 'x')
    expect(await runsOf([wrong]).runs.run(1)).toBeNull()
    const most = 'é'.repeat(programInputBytes / 2 - 1)
    const { runs, jobs } = runsOf([gives(1)])
    expect(await runs.run(`${most}e`)).toBeNull()
    expect(jobs).toHaveLength(0)
    expect(await runs.run(most)).toBe(1)
    // As rows are that make a longer text than there can be.
    const endless: JsonValue[] = []
    endless.push(endless)
    expect(await runs.run(endless)).toBeNull()
    expect(jobs).toHaveLength(1)
  })

  it('pass on what the caller or the runtime did wrong', async () => {
    for (const wrong of [new SandboxError('LIMITS_INVALID', 'limits.steps', 'x'), new RangeError('x')])
      await expect(runsOf([wrong]).runs.run(1)).rejects.toBe(wrong)
  })

  it('are put off when the node stops, whatever its ended processes say', async () => {
    for (const answer of [
      fails('RUNTIME_LOST'),
      fails('THREW'),
      new SandboxError('RUNTIME_CLOSED', 'x', 'x'),
    ]) {
      const { runs, jobs, stopping, time } = runsOf([answer])
      time.onStart = () => stopping.abort()
      const off = { name: 'JobPutOff', code: 'NODE_STOPS', retryAfter: 0 }
      await expect(runs.run(1)).rejects.toMatchObject(off)
      // The next waits for its moment no longer.
      await expect(runs.run(2)).rejects.toMatchObject(off)
      expect(jobs).toHaveLength(1)
    }
  })
})

describe('the digest of what they gave', () => {
  const digestOfRuns = async (answers: readonly RunResult[]) => {
    const { runs } = runsOf(answers)
    for (const [index] of answers.entries()) await runs.run(index)
    return runs.outcomes()
  }

  it('is the same for the same, and another one for anything else', async () => {
    const same = await digestOfRuns([gives({ a: 1 }), gives({ a: 2 })])
    expect(await digestOfRuns([gives({ a: 1 }), gives({ a: 2 })])).toBe(same)
    const others = await Promise.all([
      digestOfRuns([gives({ a: 2 }), gives({ a: 1 })]),
      digestOfRuns([gives({ a: 1 }), fails('TIMEOUT')]),
      digestOfRuns([fails('TIMEOUT'), gives({ a: 2 })]),
      digestOfRuns([gives({ a: 1 })]),
      digestOfRuns([]),
    ])
    expect(new Set([same, ...others]).size).toBe(6)
  })

  it('is not told while one is under way', async () => {
    const { runs } = runsOf([gives({ a: 1 })])
    const running = runs.run(1)
    expect(() => runs.outcomes()).toThrow('under way')
    await running
    expect(runs.outcomes()).toMatch(/^sha256:/)
  })

  it('is that of the runs that were begun, whichever ended first', async () => {
    const ends: ((result: RunResult) => void)[] = []
    const late = () =>
      programRuns({
        runtime: { run: () => new Promise((resolve) => ends.push(resolve)) },
        code: '',
        entry: 'main',
        limits: { memoryBytes: 1_048_576, timeMs: 100 },
        parallel: 2,
        slotMs: 1_100,
        clock: () => 0,
        wait: async () => undefined,
        begun: async () => undefined,
        stopping: new AbortController().signal,
      })
    const digests = []
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const runs = late()
      const both = [runs.run(0), runs.run(1)]
      await expect.poll(() => ends.length).toBe(2)
      const given = ends.splice(0)
      for (const one of order) given[one]?.(gives({ a: one }))
      await Promise.all(both)
      digests.push(runs.outcomes())
    }
    expect(digests[0]).toBe(digests[1])
  })
})
