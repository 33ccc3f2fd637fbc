import { memoryBlobStore } from '@sealpool/client'
import { platformRandom } from '@sealpool/crypto'
import { type JobRuntime, SandboxError } from '@sealpool/sandbox'
import { expect, it } from 'vitest'
import { wasmAnswer } from '../testing/wasm-answer.js'
import { codeText, openProgramRuntime, type ProgramRuntimeOptions } from './open-program-runtime.js'
import { openPrograms, tryRuntimes } from './programs.js'

function fake() {
  const asked: ProgramRuntimeOptions[] = []
  const world = { asked, running: 0 }
  const open = async (options: ProgramRuntimeOptions): Promise<JobRuntime> => {
    asked.push(options)
    world.running += 1
    return {
      name: 'fake',
      isolation: options.runtime === 'quickjs' ? 'process' : 'bubblewrap',
      run: async () => ({ ok: true, output: null, logs: [] }),
      close: async () => {
        world.running -= 1
      },
    }
  }
  return { world, open }
}

it('starts each runtime of the settings once, says what is around it, and leaves none running', async () => {
  const { world, open } = fake()
  const settings = { runtimes: ['quickjs' as const, 'webassembly' as const], children: 3 }
  const words = await tryRuntimes({ settings, isolation: 'best', open })
  expect(words).toBe('quickjs process, webassembly bubblewrap')
  expect(world).toMatchObject({ running: 0, asked: [{ runtime: 'quickjs' }, { runtime: 'webassembly' }] })
})

it('starts no node that could not run what its settings say', async () => {
  const settings = { runtimes: ['quickjs' as const], children: 1 }
  const open = async () => {
    throw new SandboxError('RUNTIME_UNAVAILABLE', 'process', 'x')
  }
  await expect(tryRuntimes({ settings, isolation: 'bubblewrap', open })).rejects.toMatchObject({
    code: 'RUNTIME_UNAVAILABLE',
  })
})

it('ends what runs when the node stops, and starts nothing any more', async () => {
  const { world, open } = fake()
  const settings = { runtimes: ['quickjs' as const], children: 2 }
  const blobStore = memoryBlobStore()
  const waits: [number, AbortSignal][] = []
  const wait = async (...asked: [number, AbortSignal]): Promise<void> => void waits.push(asked)
  const random = platformRandom
  const programs = openPrograms({
    settings,
    isolation: 'best',
    open,
    blobStore,
    clock: () => 0,
    random,
    wait,
  })
  const first = await programs.open('quickjs')
  await programs.open('quickjs')
  expect(world.asked[0]).toEqual({ runtime: 'quickjs', isolation: 'best', children: 2 })
  await first.close()
  expect(world.running).toBe(1)
  await programs.stop()
  await first.close()
  expect(world.running).toBe(0)
  await expect(programs.open('quickjs')).rejects.toThrow()
  expect(world.asked).toHaveLength(2)
  await programs.wait(-1)
  expect(waits).toEqual([])
  await programs.wait(5)
  // Whoever waits is woken by the stop.
  expect(waits).toEqual([[5, programs.stopping]])
  expect(programs.stopping.aborted).toBe(true)
})

it('ends a runtime that was being started when the node stopped, and gives it to nobody', async () => {
  let started: (runtime: JobRuntime) => void = () => undefined
  const starting = new Promise<JobRuntime>((resolve) => {
    started = resolve
  })
  const programs = openPrograms({
    settings: { runtimes: ['quickjs'], children: 1 },
    isolation: 'best',
    open: () => starting,
    blobStore: memoryBlobStore(),
    clock: () => 0,
    random: platformRandom,
    wait: async () => undefined,
  })
  const opening = programs.open('quickjs')
  await programs.stop()
  const { world, open } = fake()
  started(await open({ runtime: 'quickjs', isolation: 'best', children: 1 }))
  await expect(opening).rejects.toThrow()
  expect(world.running).toBe(0)
})

it('has a number that no other process has', () => {
  const numbers = Array.from({ length: 3 }, () => {
    const { open } = fake()
    const settings = { runtimes: ['quickjs' as const], children: 1 }
    const from = { settings, isolation: 'best' as const, open, blobStore: memoryBlobStore() }
    return openPrograms({ ...from, clock: () => 0, random: platformRandom, wait: async () => undefined })
      .process
  })
  expect(new Set(numbers).size).toBe(3)
  for (const number of numbers) expect(number).toMatch(/^[0-9a-f]{32}$/)
})

it('opens the engine that a program is written for', async () => {
  const runtime = await openProgramRuntime({ runtime: 'webassembly', isolation: 'process', children: 1 })
  try {
    const limits = { memoryBytes: 16_777_216, timeMs: 5_000, steps: 1_000_000, outputBytes: 1_000 }
    const code = codeText('webassembly', wasmAnswer('{"half":0.5}'))
    const result = await runtime.run({ code, entry: 'main', input: null, limits })
    expect(result).toMatchObject({ ok: true, output: { half: 0.5 } })
  } finally {
    await runtime.close()
  }
})

it('asks for bubblewrap around Python whatever the settings ask for', async () => {
  const walls = await openProgramRuntime({ runtime: 'quickjs', isolation: 'bubblewrap', children: 1 }).catch(
    (error: unknown) => error,
  )
  const python = await openProgramRuntime({ runtime: 'pyodide', isolation: 'process', children: 1 }).catch(
    (error: unknown) => error,
  )
  if (walls instanceof SandboxError) expect(python).toMatchObject({ code: 'RUNTIME_UNAVAILABLE' })
  else {
    expect(python).toMatchObject({ isolation: 'bubblewrap' })
    for (const runtime of [walls, python] as JobRuntime[]) await runtime.close()
  }
})

it('puts bubblewrap around native programs whatever the settings ask for', async () => {
  const opened = await openProgramRuntime({ runtime: 'native', isolation: 'process', children: 1 }).catch(
    (error: unknown) => error,
  )
  if (opened instanceof SandboxError) expect(opened.code).toBe('RUNTIME_UNAVAILABLE')
  else {
    const runtime = opened as JobRuntime
    expect(runtime.isolation).toBe('bubblewrap')
    await runtime.close()
  }
})

it('gives scripts as text and binaries in base64', () => {
  const bytes = new TextEncoder().encode('é')
  expect([codeText('quickjs', bytes), codeText('pyodide', bytes)]).toEqual(['é', 'é'])
  expect([codeText('webassembly', bytes), codeText('native', bytes)]).toEqual(['w6k=', 'w6k='])
  for (let length = 0; length < 200; length++) {
    const binary = Uint8Array.from({ length }, (_, index) => (index * 89 + length) % 256)
    expect(codeText('native', binary)).toBe(Buffer.from(binary).toString('base64'))
  }
})
