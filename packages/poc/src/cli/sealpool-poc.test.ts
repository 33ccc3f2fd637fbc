import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

// The command as a process of its own: what becomes of its answer when nobody can hear it.

const command = fileURLToPath(new URL('../../dist/cli/sealpool-poc.js', import.meta.url))

async function run(out: 'closed' | 'read' | number) {
  const stdio = ['ignore', typeof out === 'number' ? out : 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, [command, '--help'], { stdio: [...stdio] })
  let [said, complained] = ['', '']
  if (out === 'closed') child.stdout?.destroy()
  else child.stdout?.on('data', (part) => (said += String(part)))
  child.stderr?.on('data', (part) => (complained += String(part)))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, said, complained }
}

describe('sealpool-poc as a process', () => {
  test('answers by its exit code when its reader has gone', async () => {
    expect(await run('read')).toMatchObject({ code: 0, said: expect.stringContaining('Exit codes') })
    expect(await run('closed')).toEqual({ code: 0, said: '', complained: '' })
  })
  test.skipIf(!existsSync('/dev/full'))('says so when its answer cannot be written', async () => {
    const full = openSync('/dev/full', 'w')
    const { code, complained } = await run(full)
    closeSync(full)
    expect([code, complained]).toEqual([2, 'The answer cannot be written (ENOSPC).\n'])
  })
  test.skipIf(process.platform !== 'linux')('ends by Ctrl-C as any program does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealpool-poc-interrupted-'))
    const pipe = join(folder, 'verdict.json')
    execFileSync('mkfifo', [pipe])
    const child = spawn(process.execPath, [command, 'verify', pipe, '--expect', pipe], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? code)))
    // Opens once the command reads at the other end, which then waits for as long as this one is open.
    const writer = await open(pipe, 'w')
    try {
      child.kill('SIGINT')
      expect(await ended).toBe('SIGINT')
    } finally {
      child.kill('SIGKILL')
      await writer.close()
      rmSync(folder, { recursive: true })
    }
  })
})
