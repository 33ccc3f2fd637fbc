// Budgets: the filter against sums kept in another way, and the ledger in a file under charges at once, a torn write and a roll-back.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  affordable,
  applyCharge,
  createFilter,
  createMemoryLedger,
  spentBudget,
  verifyLedgerChain,
  zcdpEpsilon,
} from '@sealpool/privacy'
import { openFileLedger } from '@sealpool/privacy/file-ledger'
import { deterministicRandom } from '../reader/deterministic-random.mjs'

/** @param count counts one case: `(kind, agrees, what)` */
export async function budgetCases(count, conversions) {
  filterAgainstOracle(count, conversions)
  filterAgainstSums(count)
  await ledgers(count)
}

/** A filter that may spend what the oracle converts to epsilon takes rho and no more. */
function filterAgainstOracle(count, conversions) {
  for (const { rho, delta, eps } of conversions) {
    if (delta >= 0.5 || rho < 1e-6) continue
    // Half of a filter's delta is for the conversion.
    const state = createFilter({ accounting: 'zcdp', epsilon: eps, delta: 2 * delta })
    const charge = (amount) => ({
      epsilon: zcdpEpsilon({ rho: amount, delta }),
      delta,
      zcdp: { rho: amount, delta: 0 },
    })
    const what = `rho ${rho} at delta ${delta}`
    const step = 2e-6 * rho + 2e-12
    count(
      'filter holds what the oracle converts',
      affordable(state, charge(rho - step)),
      `${what}: refuses a little less`,
    )
    count(
      'filter holds what the oracle converts',
      !affordable(state, charge(rho + step)),
      `${what}: takes a little more`,
    )
  }
}

/** Adaptively chosen charges: whatever the answers to earlier ones, what was accepted never sums to more than the total. */
function filterAgainstSums(count) {
  for (let round = 0; round < 40; round++) {
    const random = deterministicRandom(`charges ${round}`)
    const below = (bound) => (random(1)[0] * 256 + random(1)[0]) % bound
    const totals = {
      accounting: round % 2 === 0 ? 'basic' : 'zcdp',
      epsilon: 1 + below(5),
      delta: round % 4 === 0 ? 0 : 1e-5,
    }
    let state = createFilter(totals)
    // Billionths of epsilon; of rho in units of 1e-18, by squares of billionths over two.
    let spent = 0n
    let refused = 0
    for (let step = 0; step < 200; step++) {
      const units = BigInt(1 + below(9_000)) * 10n ** BigInt(below(6))
      const charge = { epsilon: Number(units) / 1e9, delta: 0 }
      if (!affordable(state, charge)) {
        refused += 1
        continue
      }
      state = applyCharge(state, charge)
      spent += totals.accounting === 'basic' ? units : (units * units) / 2n
    }
    const shown = Number(spentBudget(state).epsilonSpent)
    const own =
      totals.accounting === 'basic'
        ? Number(spent) / 1e9
        : zcdpEpsilon({ rho: Number(spent) / 1e18, delta: totals.delta / 2 || 1e-300 })
    const what = `round ${round}, ${totals.accounting}: shown ${shown}, summed ${own}, total ${totals.epsilon}, ${refused} refused`
    count('filter agrees with sums', shown >= own * (1 - 1e-6) && shown <= own * (1 + 1e-6) + 1e-5, what)
    count(
      'filter never passes its total',
      own <= totals.epsilon * (1 + 1e-9) && shown <= totals.epsilon,
      what,
    )
  }
}

async function ledgers(count) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-conformance-ledger-'))
  const path = join(folder, 'budget.jsonl')
  const totals = { accounting: 'basic', epsilon: 6, delta: 1e-6 }
  const request = (job, epsilon = 0.5) => ({
    pool: 'pay',
    job,
    leaves: ['pay.workers'],
    charge: { epsilon, delta: 1e-9 },
  })
  try {
    for (const [kind, open] of [
      ['memory', async () => createMemoryLedger()],
      ['file', () => openFileLedger({ path })],
    ]) {
      const ledger = await open()
      await ledger.open('pay', totals)
      const jobs = Array.from({ length: 64 }, (_, job) => ledger.charge(request(String(job))))
      const accepted = (await Promise.allSettled(jobs)).filter(({ status }) => status === 'fulfilled').length
      const { state } = await ledger.head('pay')
      const what = `${kind}: ${accepted} of 64 accepted, ${state.epsilonSpent} of 6 spent`
      count('64 charges at once never overspend', accepted === 12 && state.epsilonSpent === '6', what)
      const verified = verifyLedgerChain(await ledger.entries('pay'), { head: state.head })
      count('ledger verifies', verified.head === state.head, kind)
      await ledger.close?.()
    }
    const whole = readFileSync(path)
    for (let cut = 1; cut < whole.length; cut += 97) {
      writeFileSync(path, whole.subarray(0, whole.length - cut))
      const lines =
        whole
          .subarray(0, whole.length - cut)
          .toString()
          .split('\n').length - 1
      const ledger = await openFileLedger({ path })
      const entries = await ledger.entries('pay').catch(() => [])
      // A header line comes first, then one line for each transaction.
      count(
        'torn write leaves whole charges',
        entries.length === Math.max(0, lines - 1),
        `cut by ${cut}: ${entries.length} entries`,
      )
      await ledger.close()
    }
    writeFileSync(path, whole)
    const last = await openFileLedger({ path })
    const anchors = await last.anchors()
    await last.close()
    writeFileSync(path, `${whole.toString().split('\n').slice(0, 5).join('\n')}\n`)
    const rolledBack = await openFileLedger({ path, anchors }).then(
      () => 'opened',
      (error) => error.code,
    )
    count('rolled back ledger is refused by its anchor', rolledBack === 'LEDGER_CHAIN_BROKEN', rolledBack)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
