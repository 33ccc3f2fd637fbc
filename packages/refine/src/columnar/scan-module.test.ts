import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'vitest'

test('the module in the repository is what its source compiles to', async () => {
  const script = new URL('../../scripts/assemble.mjs', import.meta.url).pathname
  await promisify(execFile)(process.execPath, [script, '--check'])
})
