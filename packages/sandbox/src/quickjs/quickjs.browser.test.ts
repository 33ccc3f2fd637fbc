import { expect, test } from 'vitest'
import { limits, script } from '../testing/job.js'
import { runtimeConformance } from '../testing/runtime-conformance.js'
import { createQuickJsRuntime } from './index.js'

runtimeConformance('QuickJS in a browser', createQuickJsRuntime)

test('the code does not see the page', async () => {
  const runtime = await createQuickJsRuntime()
  const code = script(
    '() => ["document", "localStorage", "fetch", "location"].filter((name) => name in globalThis)',
  )
  expect(await runtime.run({ code, entry: 'go', input: null, limits })).toMatchObject({ output: [] })
  await runtime.close()
})
