import { expect, test } from 'vitest'
import { limits, script } from '../testing/job.js'
import { runtimeConformance } from '../testing/runtime-conformance.js'
import { createQuickJsRuntime } from './index.js'

runtimeConformance('QuickJS in this process', createQuickJsRuntime)

test('it claims no isolation', async () => {
  const runtime = await createQuickJsRuntime()
  expect(runtime.isolation).toBe('none')
  await runtime.close()
})

test('a closed runtime refuses', async () => {
  const runtime = await createQuickJsRuntime()
  await runtime.close()
  await runtime.close()
  await expect(
    runtime.run({ code: script('() => 1'), entry: 'go', input: null, limits }),
  ).rejects.toMatchObject({ code: 'RUNTIME_CLOSED' })
})

test('a run that waits while the runtime is closed is RUNTIME_LOST', async () => {
  const runtime = await createQuickJsRuntime()
  const waiting = runtime.run({ code: script('() => 1'), entry: 'go', input: null, limits })
  await runtime.close()
  expect(await waiting).toMatchObject({ ok: false, code: 'RUNTIME_LOST' })
})
