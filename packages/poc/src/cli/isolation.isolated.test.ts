import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SandboxError } from '@sealpool/sandbox'
import { expect, test, vi } from 'vitest'
import { runPocCli } from './run.js'

vi.mock('@sealpool/sandbox/process', () => ({
  createProcessRuntime: () =>
    Promise.reject(
      new SandboxError('RUNTIME_UNAVAILABLE', 'process.bubblewrap', 'bubblewrap does not work here'),
    ),
}))

test('an isolation that is not to be had is no fault of the proof, nor of the file', async () => {
  // Beside the sources, so that `@sealpool/poc/define` resolves without an installation.
  const folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'isolation-test-'))
  let error = ''
  const io = {
    write: () => undefined,
    writeError: (text: string) => {
      error += text
    },
    signal: new AbortController().signal,
  }
  try {
    expect(await runPocCli(['create', join(folder, 'new')], io)).toBe(0)
    const [proof, file] = [join(folder, 'new/proof.ts'), join(folder, 'new/examples/good.csv')]
    expect(await runPocCli(['run', file, '--poc', proof, '--isolation', 'bubblewrap'], io)).toBe(2)
    expect(error).toMatch(/^RUNTIME_UNAVAILABLE: /)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
