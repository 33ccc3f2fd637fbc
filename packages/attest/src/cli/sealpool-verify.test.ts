import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { at, evidence, quote, trust } from '../testing/fixture.js'

// The command as a process of its own: what becomes of its answer when nobody can hear it.

const command = fileURLToPath(new URL('../../dist/cli/sealpool-verify.js', import.meta.url))
let folder = ''
let question: string[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-verify-'))
  const files = { 'collateral.json': evidence.collateral, 'trust.json': trust }
  for (const [name, json] of Object.entries(files)) await writeFile(join(folder, name), JSON.stringify(json))
  await writeFile(join(folder, 'quote.bin'), quote)
  const moment = at.toISOString()
  question = [
    'quote',
    'quote.bin',
    '--collateral',
    'collateral.json',
    '--policy',
    'trust.json',
    '--at',
    moment,
  ]
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function run(args: readonly string[], out: 'closed' | 'read' | number) {
  const child = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    stdio: ['ignore', typeof out === 'number' ? out : 'pipe', 'pipe'],
  })
  let [said, complained] = ['', '']
  if (out === 'closed') child.stdout?.destroy()
  else child.stdout?.on('data', (part) => (said += String(part)))
  child.stderr?.on('data', (part) => (complained += String(part)))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, said, complained }
}

describe('sealpool-verify as a process', () => {
  it('answers on standard output and by its exit code', async () => {
    const { code, said, complained } = await run(question, 'read')
    expect([code, complained]).toEqual([0, ''])
    expect(said).toMatch(/Policy: allowed/)
  })

  it('answers by its exit code when its reader has gone', async () => {
    expect(await run(question, 'closed')).toEqual({ code: 0, said: '', complained: '' })
    const [kind = '', file = '', ...rest] = question
    const unallowed = [kind, file, ...rest.filter((one) => one !== '--policy' && one !== 'trust.json')]
    expect(await run(unallowed, 'closed')).toEqual({ code: 1, said: '', complained: '' })
  })

  it.skipIf(!existsSync('/dev/full'))('cannot tell when the answer cannot be written', async () => {
    const full = openSync('/dev/full', 'w')
    const { code, complained } = await run(question, full)
    closeSync(full)
    expect([code, complained]).toEqual([2, 'Cannot tell: the answer cannot be written (ENOSPC).\n'])
  })
})
