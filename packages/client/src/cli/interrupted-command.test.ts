import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/* Real processes: what a terminal does to a command, Ctrl-C and a reader that goes away. */

const resolveDir = fileURLToPath(new URL('.', import.meta.url))
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealpool-interrupted-'))
  const keeps = `
    import { intoNewFile } from './new-file.ts'
    await intoNewFile(process.argv[2], '<file>', () => {
      process.stdout.write('begun')
      return new Promise((done) => setTimeout(done, 60_000, { content: 'late' }))
    })`
  const programs: Record<string, BuildOptions> = {
    keeps: { stdin: { contents: keeps, resolveDir, loader: 'ts' } },
    command: { entryPoints: [join(resolveDir, 'sealpool.ts')] },
  }
  for (const [name, entry] of Object.entries(programs)) {
    await build({
      ...entry,
      outfile: join(folder, `${name}.mjs`),
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@sealpool/source'],
      logLevel: 'error',
    })
  }
}, 60_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

function begin(program: string, ...args: string[]) {
  const child = spawn(process.execPath, [join(folder, `${program}.mjs`), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, ended: endOf(child) }
}

/** How a process ended, and what it said on standard error. */
function endOf(child: ChildProcess) {
  let errors = ''
  child.stderr?.on('data', (part) => {
    errors += part
  })
  return new Promise<{ how: NodeJS.Signals | number | null; errors: string }>((done) =>
    child.on('close', (code, signal) => done({ how: signal ?? code, errors })),
  )
}

describe('a command that is interrupted', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s leaves no empty file in the way of the next try, and ends as any program does',
    async (signal) => {
      const path = join(folder, `result-${signal}`)
      const { child, ended } = begin('keeps', path)
      await new Promise((begun) => child.stdout.once('data', begun))
      expect(existsSync(path)).toBe(true)
      child.kill(signal)
      expect(await ended).toEqual({ how: signal, errors: '' })
      expect(existsSync(path)).toBe(false)
    },
  )

  test('by nobody who reads its output comes to its end all the same', async () => {
    const { child, ended } = begin('command', '--help')
    child.stdout.destroy()
    expect(await ended).toEqual({ how: 0, errors: '' })
    const read = begin('command', '--help')
    let output = ''
    read.child.stdout.on('data', (part) => {
      output += part
    })
    expect(await read.ended).toEqual({ how: 0, errors: '' })
    expect(output).toContain('Usage: sealpool <command>')
  })

  test.skipIf(!existsSync('/dev/full'))('by a full disk says so, and has failed', async () => {
    const full = openSync('/dev/full', 'w')
    const words = [join(folder, 'command.mjs'), '--help']
    const child = spawn(process.execPath, words, { stdio: ['ignore', full, 'pipe'] })
    expect(await endOf(child)).toEqual({
      how: 3,
      errors: 'sealpool: the answer cannot be written (ENOSPC)\n',
    })
    closeSync(full)
  })
})
