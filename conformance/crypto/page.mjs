import { createTally } from '../reader/tally.mjs'
import { portableCases } from './portable-cases.mjs'
import { protocolCases } from './protocol-cases.mjs'

/** What a page runs. */
export async function inPage(vectors, print) {
  const { count, finish } = createTally(print)
  const cases = { count, vectors, platform: 'Chromium' }
  await portableCases(cases)
  await protocolCases(cases)
  return finish()
}
