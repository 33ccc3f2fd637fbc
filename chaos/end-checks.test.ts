import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noCoreFile, noOrphan, stopsInGoodOrder } from './end-checks.js'
import { startNodeProcess } from './node-process.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-end-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A machine that gives core files to a program, or puts them elsewhere, leaves none where they are looked for. */
const leavesCores = (() => {
  try {
    return readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim() === 'core'
  } catch {
    return false
  }
})()

describe('core files', () => {
  it.each(['core', 'core.4711', 'node/core', 'node/core.1'])('are found: %s', async (name) => {
    await mkdir(join(folder, 'node'))
    await writeFile(join(folder, name), 'x')
    expect((await noCoreFile(folder)).breaches).toEqual([name])
  })

  it('are no other files', async () => {
    for (const name of ['core.js', 'score', 'core.4711.txt', 'hardcore'])
      await writeFile(join(folder, name), '')
    expect(await noCoreFile(folder)).toMatchObject({ checked: 4, breaches: [] })
  })

  it.runIf(leavesCores)('of a process that really crashed are found', async () => {
    spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited && kill -SEGV $$'], { cwd: folder })
    expect((await noCoreFile(folder)).breaches).toHaveLength(1)
  })
})

describe('the end of a node', () => {
  it('is a breach unless it ends with 0', () => {
    expect(stopsInGoodOrder(0).breaches).toEqual([])
    for (const ended of [1, 137, 'SIGKILL', 'SIGTERM'] as const)
      expect(stopsInGoodOrder(ended).breaches).toEqual([`it ended with ${ended}`])
  })

  it('is told as it is, by a program that ends with an error', async () => {
    await writeFile(join(folder, 'settings.json'), '{}')
    const node = startNodeProcess({
      config: join(folder, 'settings.json'),
      secrets: {},
      logFile: join(folder, 'log'),
      clockFile: join(folder, 'clock'),
    })
    expect(stopsInGoodOrder(await node.ended).breaches).toEqual(['it ended with 2'])
  })

  it('is a breach for each process that stays', () => {
    expect(noOrphan(3, [])).toMatchObject({ checked: 3, breaches: [] })
    expect(noOrphan(3, [17, 18]).breaches).toHaveLength(2)
  })
})
