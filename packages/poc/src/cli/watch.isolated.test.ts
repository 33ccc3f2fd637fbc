import { type FSWatcher, mkdirSync, mkdtempSync, rmSync, watch as watchFolder } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchAndRun } from './watch.js'

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>()
  return { ...real, watch: vi.fn(real.watch) }
})

let folder = ''
let stop = new AbortController()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-watch-'))
  stop = new AbortController()
})
afterEach(() => {
  vi.mocked(watchFolder).mockReset()
  rmSync(folder, { recursive: true, force: true })
})

const fault = (code: string) => Object.assign(new Error(`${code}: /a/private/path`), { code })

/** Watches until the work was done for `states` states, each given when the one before was worked on. */
async function watched(states: number, then: (run: number) => void = () => undefined) {
  let [runs, told] = [0, '']
  await watchAndRun({
    folders: [folder],
    state: async () => String(runs),
    work: async () => {
      runs += 1
      if (runs === states) stop.abort()
      else then(runs)
    },
    tell: (text) => {
      told += text
    },
    signal: stop.signal,
  })
  return told
}

test.each([
  ['ENOSPC', /^The system does not watch \(ENOSPC\): looking every 2 seconds.*max_user_watches.*\n$/],
  ['EMFILE', /^The system does not watch \(EMFILE\): looking every 2 seconds.*ulimit -n.*\n$/],
  ['ENOSYS', /^The system does not watch \(ENOSYS\): looking every 2 seconds instead\n$/],
])('a system that does not watch (%s) is told once, and looked at instead', async (code, told) => {
  mkdirSync(join(folder, 'a'))
  vi.mocked(watchFolder).mockImplementation(() => {
    throw fault(code)
  })
  // The second run comes of a look: nothing tells of a change.
  expect(await watched(3)).toMatch(told)
  expect(vi.mocked(watchFolder)).toHaveBeenCalledOnce()
})

test('so are more folders than are watched', async () => {
  for (let number = 0; number < 1000; number += 1) mkdirSync(join(folder, String(number)))
  expect(await watched(3)).toMatch(
    /^1000 folders are watched at most, .*: looking every 2 seconds instead\n$/,
  )
  expect(vi.mocked(watchFolder)).not.toHaveBeenCalled()
})

test('so is one whose watch fails later', async () => {
  const { EventEmitter } = await import('node:events')
  let watcher: FSWatcher | undefined
  vi.mocked(watchFolder).mockImplementation(() => {
    watcher = Object.assign(new EventEmitter(), {
      close: () => undefined,
      ref: () => watcher as FSWatcher,
      unref: () => watcher as FSWatcher,
    }) as FSWatcher
    return watcher
  })
  const told = await watched(3, () => setTimeout(() => watcher?.emit('error', fault('EMFILE')), 50))
  expect(told).toMatch(/^The system does not watch \(EMFILE\)[^\n]*\n$/)
})

test('a folder that went away before it was watched is none, and the watched one itself is told', async () => {
  const inner = join(folder, 'a')
  mkdirSync(inner)
  let missing = inner
  vi.mocked(watchFolder).mockImplementation(((path: string) => {
    if (path === missing) throw fault('ENOENT')
    return { on: () => undefined, close: () => undefined }
  }) as unknown as typeof watchFolder)
  expect(await watched(1)).toBe('')
  missing = folder
  stop = new AbortController()
  await expect(watched(1)).rejects.toMatchObject({
    name: 'UsageError',
    message: expect.stringContaining('is not a folder that can be read'),
  })
})

test('a folder that goes away ends the watch when it is the watched one', async () => {
  const real = await vi.importActual<typeof import('node:fs')>('node:fs')
  vi.mocked(watchFolder).mockImplementation(real.watch)
  await expect(watched(9, () => rmSync(folder, { recursive: true }))).rejects.toMatchObject({
    name: 'UsageError',
  })
})

test('a folder that is made again under its name is watched again', async () => {
  const inner = join(folder, 'a')
  mkdirSync(inner)
  const open = new Set<object>()
  const opened: string[] = []
  let notice: (() => void) | undefined
  vi.mocked(watchFolder).mockImplementation(((path: string, listener: () => void) => {
    notice = listener
    opened.push(path)
    const watcher = { on: () => undefined, close: () => open.delete(watcher) }
    open.add(watcher)
    return watcher
  }) as unknown as typeof watchFolder)
  await watched(4, (run) => {
    if (run === 1) rmSync(inner, { recursive: true })
    if (run === 2) mkdirSync(inner)
    setTimeout(() => notice?.(), 10)
  })
  expect(opened).toEqual([folder, inner, inner])
  expect(open.size).toBe(0)
})
