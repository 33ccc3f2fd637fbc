import { createNativeRuntime } from '@sealpool/sandbox/native'
import { expect, it } from 'vitest'
import { nativeAnswer } from './native-answer.js'

it.skipIf(process.platform !== 'linux')('answers what it was made to answer', async () => {
  const runtime = await createNativeRuntime({ isolation: 'process' })
  try {
    const limits = { memoryBytes: 16_777_216, timeMs: 5_000, outputBytes: 1_000 }
    const code = Buffer.from(nativeAnswer('{"half":0.5}')).toString('base64')
    const result = await runtime.run({ code, entry: 'main', input: null, limits })
    expect(result).toEqual({ ok: true, output: { half: 0.5 }, logs: [] })
  } finally {
    await runtime.close()
  }
})
