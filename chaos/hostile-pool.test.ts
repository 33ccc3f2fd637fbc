import { runPoc } from '@sealpool/poc'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { describe, expect, it } from 'vitest'
import { attempts, escapedRefusal, harmlessRefusal, hostileProof } from './hostile-pool.js'

const canary = 'CANARY-4711-0815-hostile'

async function outcomes(made: typeof attempts, asked: readonly string[]): Promise<Map<string, string>> {
  const poc = await hostileProof(made)
  const runtime = await createQuickJsRuntime()
  const found = new Map<string, string>()
  try {
    for (const attempt of asked) {
      const verdict = await runPoc({
        poc,
        runtime,
        limits: { timeMs: 500, memoryBytes: 32_000_000, outputBytes: 16_000_000 },
        contribution: {
          id: '1',
          pool: `0x${'aa'.repeat(20)}`,
          owner: `0x${'bb'.repeat(20)}`,
          mediaType: 'application/json',
          bytes: new TextEncoder().encode(JSON.stringify({ attempt, canary })),
        },
        facts: { uniqueness: { duplicate: false } },
      })
      expect(JSON.stringify(verdict), attempt).not.toContain(canary)
      found.set(attempt, verdict.refusal?.code ?? 'accepted')
    }
  } finally {
    await runtime.close()
  }
  return found
}

describe('the hostile proof', () => {
  it('knows at least forty attempts, each under a name of its own', () => {
    expect(attempts.length).toBeGreaterThanOrEqual(40)
    expect(new Set(attempts.map(({ name }) => name)).size).toBe(attempts.length)
  })

  it('tells an attempt that fails from one that gives what it may', async () => {
    const found = await outcomes(attempts, [
      'eval',
      'a promise that carries input out',
      'a thrown input',
      'locale',
    ])
    expect(Object.fromEntries(found)).toMatchObject({ eval: 'POC_THREW', locale: harmlessRefusal })
    expect([...found.values()]).not.toContain(escapedRefusal)
  })

  it('says so when an attempt gets hold of something, or gives something else than it may', async () => {
    const planted = (name: string, expression: string, harmless: (typeof attempts)[number]['harmless']) => ({
      name,
      code: `globalThis.sealpool = { go: (input) => ${expression} }`,
      harmless,
    })
    const found = await outcomes(
      [
        planted('something that must fail', '6 * 7', 'fails'),
        planted('something else', '6 * 7', { returns: 41 }),
        planted('the same', '6 * 7', { returns: 42 }),
      ],
      ['something that must fail', 'something else', 'the same'],
    )
    expect([...found.values()]).toEqual([escapedRefusal, escapedRefusal, harmlessRefusal])
  })
})
