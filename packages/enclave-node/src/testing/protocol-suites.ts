/**
 * What both ends of each protocol between nodes, and a node that reads owners' stores, must take and must not: one list of cases, run by the tests of this package and by
 * `npm run conformance -- node`.
 * @module
 */
import { federationCases } from './federation-protocol.js'
import { handOffCases } from './hand-off-protocol.js'
import { headsCases } from './heads-protocol.js'
import { ownCopiesCases } from './own-copies-protocol.js'
import type { ProtocolCases } from './protocol-case.js'
import { validationCases } from './validation-protocol.js'

/** @returns every case of every protocol, one to be run after the other */
export async function protocolCases(): Promise<ProtocolCases> {
  const all = [
    await federationCases(),
    await handOffCases(),
    await validationCases(),
    await ownCopiesCases(),
    await headsCases(),
  ]
  return {
    cases: all.flatMap(({ cases }) => cases),
    close: async () => {
      for (const { close } of all) await close()
    },
  }
}
