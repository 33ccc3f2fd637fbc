import { fileURLToPath } from 'node:url'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { expect, test } from 'vitest'
import { bundlePoc } from '../bundle/index.js'
import everyRule from '../testing/every-rule-proof.js'
import { runPoc } from './run-poc.js'

// Outside of the sandbox there is more than inside: a clock, a calendar, locales.
test('every rule of quality comes to the same in the sandbox as outside of it', async () => {
  const text = [
    'day,steps,kind,other,cap,note',
    '2026-01-01,500,walk,walk,400,Köln',
    '2026-01-02T10:00:00Z,1e3,run,walk,9999,看護',
    '2026-02-31,20000,walk,walk,9,',
    'never,,swim,swim,9,a rather long note about nothing at all',
    '2026-01-03,7,walk,run,17,ok',
    '',
  ].join('\n')
  const owner = `0x${'0'.repeat(40)}` as const
  const facts = { uniqueness: { duplicate: false }, at: Date.UTC(2026, 0, 3, 12) / 1000 }
  const poc = await bundlePoc({
    entry: fileURLToPath(new URL('../testing/every-rule-proof.ts', import.meta.url)),
  })
  const runtime = await createQuickJsRuntime()
  try {
    const verdict = await runPoc({
      poc,
      runtime,
      limits: { memoryBytes: 2 ** 26, timeMs: 20_000, outputBytes: 65_536 },
      contribution: {
        id: '1',
        pool: owner,
        owner,
        mediaType: 'text/plain',
        bytes: new TextEncoder().encode(text),
      },
      facts,
    })
    const outside = everyRule.evaluate({
      file: { mediaType: 'text/plain', text },
      facts: { ...facts, owner },
    })
    expect(verdict).toMatchObject(outside)
    expect(verdict.refusal).toBeNull()
    const degrees = Object.fromEntries(verdict.evidence.map(({ check, degree }) => [check, degree]))
    expect(degrees).toMatchObject({ fresh: 0.4, recent: 0.6, count: 0.63, agreement: 0.6 })
  } finally {
    await runtime.close()
  }
})
