/**
 * What every source of quotes must do, and the adapters that do it.
 * @module
 */
import { parseQuote, parseSnpReport } from '@sealpool/attest'
import { createAmdSimulator } from '@sealpool/attest/simulator'
import { platformRandom } from '@sealpool/crypto'
import { tsmQuoteProvider } from '../evidence/configfs-tsm.js'
import { dstackAgent, dstackQuoteProvider } from '../evidence/dstack-agent.js'
import { type QuoteProvider, teeOf } from '../evidence/quote-provider.js'
import { simulatorQuoteProvider } from '../evidence/simulator-quote-provider.js'
import { fakeSimulator, fakeTsmEntries, startFakeDstack } from './fake-machine.js'
import { type Adapter, type Case, require, same } from './port-case.js'

const reportData = (fill: number): Uint8Array => new Uint8Array(64).map((_, index) => (fill + index) & 0xff)

const dataOf = (quote: Uint8Array): Uint8Array =>
  teeOf(quote) === 'tdx' ? parseQuote(quote).report.reportData : parseSnpReport(quote).reportData

/** What every source of quotes must do. */
export const quoteCases: readonly Case<QuoteProvider>[] = [
  {
    title: 'a quote is over exactly the data that was asked',
    async check(provider) {
      for (const fill of [0, 1, 255]) {
        require(same(dataOf(await provider.quote(reportData(fill))), reportData(fill)), 'other report data')
      }
    },
  },
  {
    title: 'quotes that are asked for at the same time are not mixed up',
    async check(provider) {
      const quotes = await Promise.all([1, 2, 3, 4].map((fill) => provider.quote(reportData(fill))))
      for (const [index, quote] of quotes.entries()) {
        require(same(dataOf(quote), reportData(index + 1)), 'mixed up')
      }
    },
  },
  {
    title: 'collateral comes for its quote',
    async check(provider) {
      const collateral = await provider.collateral(await provider.quote(reportData(1)))
      require(typeof collateral === 'object' && collateral !== null, 'no collateral')
    },
  },
]

/** @returns every source of quotes, over a fake of what it talks to */
export function quoteAdapters(): readonly Adapter<QuoteProvider>[] {
  const simulator = fakeSimulator()
  const collateral = async () => simulator.collateral(new Date())
  const nothing = async () => undefined
  return [
    {
      name: 'simulator',
      open: async () => ({ port: simulatorQuoteProvider(simulator, () => new Date()), close: nothing }),
    },
    {
      name: 'configfs-tsm (faked file system)',
      open: async () => ({
        port: tsmQuoteProvider(
          fakeTsmEntries({ simulator, shortReads: 100, busy: 2, disturbed: 1 }),
          collateral,
        ),
        close: nothing,
      }),
    },
    {
      name: 'configfs-tsm of SEV-SNP (faked file system)',
      open: async () => {
        const amd = createAmdSimulator({ random: platformRandom, at: new Date() })
        return {
          port: tsmQuoteProvider(
            fakeTsmEntries({ simulator, amd, provider: 'sev_guest', shortReads: 300, busy: 1 }),
            async () => ({ certificates: '', crl: '0x' }),
          ),
          close: nothing,
        }
      },
    },
    {
      name: 'dstack (faked guest agent)',
      async open() {
        const { socketPath, stop } = await startFakeDstack({ simulator, asked: [] })
        return {
          port: dstackQuoteProvider(dstackAgent({ socketPath, timeoutMs: 10_000 }), collateral),
          close: stop,
        }
      },
    },
  ]
}
