import type { JsonValue } from '@sealpool/crypto'
import { type Job, type RunResult, SandboxError } from '@sealpool/sandbox'
import { describe, expect, it } from 'vitest'
import { programOutputBytes, programRuns } from './program-runs.js'

const gives = (output: JsonValue): RunResult => ({ ok: true, output, logs: ['wage 9.50'] })
const fails = (code: 'TIMEOUT' | 'THREW' | 'RUNTIME_LOST'): RunResult => ({
  ok: false,
  code,
  message: 'x',
  place: 'run',
})

/** Runs over a runtime that answers what it is told, one answer for each call. */
function runsOf(answers: readonly (RunResult | Error)[]) {
  const jobs: Job[] = []
  const stopping = new AbortController()
  const runs = programRuns({
    runtime: {
      async run(job) {
        const answer = answers[jobs.length]
        jobs.push(job)
        if (answer === undefined) throw new Error('it was asked once too often')
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    code: 'the code',
    entry: 'main',
    limits: { memoryBytes: 1_048_576, timeMs: 100, steps: 5 },
    parallel: 1,
    begun: async () => undefined,
    stopping: stopping.signal,
  })
  return { runs, jobs, stopping }
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

  it('that are lost again and again end the job: what is the machine’s fault is not counted as the data’s', async () => {
    const { runs, jobs } = runsOf([fails('RUNTIME_LOST'), fails('RUNTIME_LOST'), fails('RUNTIME_LOST')])
    await expect(runs.run(1)).rejects.toThrow('lost again and again')
    expect(jobs).toHaveLength(3)
  })

  it('pass on what the caller did wrong', async () => {
    const wrong = new SandboxError('INPUT_NOT_JSON', 'input', 'x')
    await expect(runsOf([wrong]).runs.run(1)).rejects.toBe(wrong)
  })

  it('are put off when the node stops, whatever its ended processes say', async () => {
    for (const answer of [
      fails('RUNTIME_LOST'),
      fails('THREW'),
      new SandboxError('RUNTIME_CLOSED', 'x', 'x'),
    ]) {
      const { runs, stopping } = runsOf([answer])
      const running = runs.run(1)
      stopping.abort()
      await expect(running).rejects.toMatchObject({ name: 'JobPutOff', code: 'NODE_STOPS', retryAfter: 0 })
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
      const given = ends.splice(0)
      for (const one of order) given[one]?.(gives({ a: one }))
      await Promise.all(both)
      digests.push(runs.outcomes())
    }
    expect(digests[0]).toBe(digests[1])
  })
})
