import { describe, expect, it } from 'vitest'
import { incidentKinds } from '../incident/incident-record.js'
import { runDrill } from './run-drill.js'

/* Each drill whole, on a devnet of its own: the commands' own code, and the end state as clients and contracts see it. */

describe('drills', { timeout: 240_000 }, () => {
  it.each(incidentKinds)('%s: the ladder ends where it promises', async (kind) => {
    const checks = await runDrill(kind, () => undefined)
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(checks.length).toBeGreaterThanOrEqual(kind === 'key' ? 13 : 10)
  })
})
