import { spawn } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { descendants, runs } from '../packages/enclave-node/src/testing/processes.js'
import { canaryScan } from './canary-scan.js'
import { residentBytes, track, wordsOf } from './process-list.js'

const text = 'CANARY-argv-77aa01'

describe('what runs', () => {
  it('is found with its children, its command line, its environment and its memory, and is gone when it is gone', async () => {
    const child = track(
      spawn('/bin/sh', ['-c', `sleep 60 & wait; # ${text}`], {
        env: { PATH: '/bin:/usr/bin', SECRET: text },
      }),
    )
    const pid = child.pid ?? -1
    await expect.poll(() => descendants(pid)).toHaveLength(1)
    expect(await descendants(process.pid)).toContain(pid)
    const scan = canaryScan([{ what: 'planted', text }])
    const { words, environment } = await wordsOf(pid)
    expect(scan.bytes('command line', words)).toHaveLength(1)
    expect(scan.bytes('environment', environment)).toHaveLength(1)
    expect(await residentBytes(pid)).toBeGreaterThan(100_000)
    const family = await descendants(pid)
    expect(await runs(pid)).toBe(true)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    await expect.poll(() => runs(pid)).toBe(false)
    expect(await residentBytes(pid)).toBe(0)
    for (const one of family) if (await runs(one)) process.kill(one, 'SIGKILL')
  })
})
