import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
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
})
