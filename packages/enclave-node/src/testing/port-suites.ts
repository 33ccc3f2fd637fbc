/**
 * What every adapter of a port must do: one list of cases for each port, run on each of its adapters, by the tests of this
 * package and by `npm run conformance -- node`.
 * @module
 */
import { keyAdapters, keyCases } from './key-suite.js'
import type { Adapter, Case } from './port-case.js'
import { quoteAdapters, quoteCases } from './quote-suite.js'
import { storeAdapters, storeCases } from './store-suite.js'

/** A case on an adapter. `run` throws when the adapter fails it; null: it could not be run here. */
export interface PortCase {
  readonly port: string
  readonly adapter: string
  readonly title: string
  readonly run: (() => Promise<void>) | null
  readonly missing: string | undefined
}

function casesOf<Port>(
  port: string,
  adapters: readonly Adapter<Port>[],
  cases: readonly Case<Port>[],
): readonly PortCase[] {
  return adapters.flatMap(({ name, open, missing }) =>
    cases.map(({ title, check }) => ({
      port,
      adapter: name,
      title,
      missing,
      run:
        open === null
          ? null
          : async () => {
              const opened = await open()
              try {
                await check(opened.port)
              } finally {
                await opened.close()
              }
            },
    })),
  )
}

/** @returns every case on every adapter of every port of the node */
export function portCases(): readonly PortCase[] {
  return [
    ...casesOf('QuoteProvider', quoteAdapters(), quoteCases),
    ...casesOf('KeyRelease', keyAdapters(), keyCases),
    ...casesOf('StateStore', storeAdapters(), storeCases),
  ]
}
