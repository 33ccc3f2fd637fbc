import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isClaim, lockJob, type ProcessView, systemProcesses } from './job-lock.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealpool-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const here = '1'.repeat(16)
/** Processes that are there, by number. */
const view = (pid: number, starts: Record<number, string>, world: string | null = here): ProcessView => ({
  world,
  pid,
  startOf: async (number) => starts[number] ?? null,
  renewEvery: 60_000,
  foreignAge: 60_000,
})
const claims = () => readdirSync(folder).filter(isClaim)

describe('lockJob', () => {
  test('one run at a time; the next one when it was released', async () => {
    const lock = await lockJob(folder)
    expect(claims()).toHaveLength(1)
    await expect(lockJob(folder)).rejects.toMatchObject({ code: 'JOB_INVALID', place: 'output' })
    expect(claims()).toHaveLength(1)
    await lock.release()
    expect(claims()).toEqual([])
    await (await lockJob(folder)).release()
    expect(readdirSync(folder)).toEqual([])
  })

  test('a claim of a process that has ended, or of another one with its number, means nothing', async () => {
    await lockJob(folder, view(7, { 7: '100' }))
    await expect(lockJob(folder, view(8, { 7: '100', 8: '200' }))).rejects.toMatchObject({
      message: expect.stringContaining('process 7'),
    })
    // Number 7 is another process now.
    const lock = await lockJob(folder, view(8, { 7: '300', 8: '200' }))
    expect(claims()).toHaveLength(1)
    await lock.release()
    await lockJob(folder, view(7, { 7: '100' }))
    await (await lockJob(folder, view(8, { 8: '200' }))).release()
    expect(claims()).toEqual([])
  })

  test('a claim of another system holds as long as it is renewed', async () => {
    const other = `.lock.${'2'.repeat(16)}.7.100.${'a'.repeat(16)}`
    for (const own of [here, null]) {
      writeFileSync(join(folder, other), '.')
      await expect(lockJob(folder, view(7, { 7: '100' }, own))).rejects.toMatchObject({
        message: expect.stringContaining('60 seconds'),
      })
      for (const since of [120_000, -120_000]) {
        writeFileSync(join(folder, other), '.')
        const then = new Date(Date.now() - since)
        utimesSync(join(folder, other), then, then)
        await (await lockJob(folder, view(7, { 7: '100' }, own))).release()
        expect(claims()).toEqual([])
      }
    }
  })

  test('a claim that cannot be looked at is not one that has ended', async () => {
    const other = `.lock.${'2'.repeat(16)}.7.100.${'a'.repeat(16)}`
    symlinkSync(other, join(folder, other))
    await expect(lockJob(folder, view(8, {}))).rejects.toMatchObject({ code: 'ELOOP' })
    expect(claims()).toEqual([other])
    rmSync(join(folder, other))

    const lock = await lockJob(folder, view(7, { 7: '100' }))
    const untold = async (number: number) => {
      if (number === 7) throw Object.assign(new Error('no'), { code: 'EACCES' })
      return '200'
    }
    await expect(lockJob(folder, { ...view(8, {}), startOf: untold })).rejects.toMatchObject({
      code: 'EACCES',
    })
    expect(claims()).toHaveLength(1)
    await lock.release()
  })

  test('a run whose claim was taken away does not go on, and one whose claim is gone is released', async () => {
    const robbed: ProcessView = {
      ...view(7, { 7: '100' }),
      get renewEvery() {
        for (const name of claims()) rmSync(join(folder, name))
        return 60_000
      },
    }
    await expect(lockJob(folder, robbed)).rejects.toMatchObject({ code: 'JOB_INVALID' })
    const lock = await lockJob(folder, view(7, { 7: '100' }))
    for (const name of claims()) rmSync(join(folder, name))
    await lock.release()
  })

  test('a claim is renewed', async () => {
    const lock = await lockJob(folder, { ...view(7, { 7: '100' }), renewEvery: 1 })
    const path = join(folder, claims()[0] ?? '')
    const old = new Date(Date.now() - 120_000)
    utimesSync(path, old, old)
    await expect.poll(() => statSync(path).mtimeMs).toBeGreaterThan(old.getTime() + 60_000)
    await expect(lockJob(folder, view(8, {}, '3'.repeat(16)))).rejects.toMatchObject({ code: 'JOB_INVALID' })
    await lock.release()
  })

  test('other files are no claims and stay', async () => {
    for (const name of ['.lock', '.lock.x.1.1.y', 'lock.json']) writeFileSync(join(folder, name), '')
    await (await lockJob(folder)).release()
    expect(readdirSync(folder)).toHaveLength(3)
  })

  test('of many runs at once at most one goes on', async () => {
    for (let turn = 0; turn < 10; turn += 1) {
      const tried = await Promise.allSettled(Array.from({ length: 5 }, () => lockJob(folder)))
      const taken = tried.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      expect(taken.length).toBeLessThanOrEqual(1)
      for (const lock of taken) await lock.release()
      expect(claims()).toEqual([])
    }
  })
})

describe.skipIf(!existsSync('/proc/self/stat'))('systemProcesses', () => {
  test('tells a process by number and start, and not one that has ended', async () => {
    const processes = await systemProcesses()
    expect(processes.world).toMatch(/^[0-9a-f]{16}$/)
    expect(await processes.startOf(process.pid)).toMatch(/^\d+$/)
    expect(await processes.startOf(process.pid)).toBe(await processes.startOf(process.pid))
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    const pid = child.pid ?? 0
    expect(await processes.startOf(pid)).toMatch(/^\d+$/)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await processes.startOf(pid)).toBeNull()
  })
})
