import { describe, expect, it } from 'vitest'
import { portCases } from './port-suites.js'

describe('the ports of the node', { timeout: 240_000 }, () => {
  const cases = portCases()
  it.each(cases)('$port: $adapter: $title', async ({ run, missing }) => {
    if (run === null) console.log(`skipped: ${missing}`)
    else await run()
  })

  it('have two adapters or more each', () => {
    const adapters = new Map<string, Set<string>>()
    for (const { port, adapter } of cases) adapters.set(port, (adapters.get(port) ?? new Set()).add(adapter))
    expect([...adapters].map(([port, names]) => [port, names.size])).toEqual([
      ['QuoteProvider', 4],
      ['KeyRelease', 6],
      ['StateStore', 4],
    ])
  })
})
