import { digestOf } from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import { receiptBundle, result, sealedResult, usualJob } from '../testing/receipt-bundle.js'
import { at, deployment as contracts, trust } from '../testing/simulated-pool.js'
import { verifyJobReceipt } from './verify-job-receipt.js'

const { bundle, recorded } = receiptBundle()
type Options = Parameters<typeof verifyJobReceipt>[0]
const deployment = { chainId: contracts.chainId, registry: contracts.nodeRegistry }
const recordedAt = { block: 12n, final: true }
const good: Options = { bundle, recorded, recordedAt, deployment, trust, at, result, sealedResult }

function open(change: Partial<Options>): { readonly ok: boolean; readonly ids: readonly string[] } {
  const { ok, checks } = verifyJobReceipt({ ...good, ...change })
  return { ok, ids: checks.filter(({ result }) => result !== 'pass').map(({ id }) => id) }
}

describe('verifyJobReceipt', () => {
  test('follows the whole chain of a released job, and says simulated', () => {
    const verdict = verifyJobReceipt(good)
    expect(verdict.checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect(verdict).toMatchObject({
      ok: true,
      state: 'verified',
      simulated: true,
      recordedBlock: 12n,
      homesBlock: null,
    })
    expect(verdict.checks.at(-1)).toMatchObject({ id: 'receipt-on-chain', detail: recorded })
  })

  test('refuses a receipt that verifies but is not the one on chain: another job’s', () => {
    const other = receiptBundle((body) => ({ ...body, job: { ...body.job, id: '8' } }))
    expect(open({ bundle: other.bundle, recorded: other.recorded })).toEqual({ ok: true, ids: [] })
    expect(open({ bundle: other.bundle })).toEqual({ ok: false, ids: ['receipt-on-chain'] })
    expect(open({ recorded: digestOf('another') })).toEqual({ ok: false, ids: ['receipt-on-chain'] })
  })

  test('refuses another job’s receipt that the chain recorded as the end of this one', () => {
    const other = receiptBundle((body) => ({ ...body, job: { ...body.job, id: '8' } }))
    const manifest = digestOf(bundle.manifest ?? {})
    const no = { ok: false, ids: ['receipt-on-chain'] }
    expect(open({ job: { id: 7n } })).toEqual({ ok: true, ids: [] })
    expect(open({ job: { id: 7n, manifest } })).toEqual({ ok: true, ids: [] })
    expect(open({ ...other, job: { id: 7n, manifest } })).toEqual(no)
    expect(open({ job: { id: 7n, manifest: digestOf('another') } })).toEqual(no)
  })

  test('refuses a receipt for another chain or registry', () => {
    expect(open({ deployment: { ...deployment, chainId: 1 } }).ids).toEqual(['context'])
    expect(open({ deployment: { ...deployment, registry: `0x${'9'.repeat(40)}` } }).ids).toEqual(['context'])
  })

  test('is not ok while the chain has no receipt', () => {
    expect(open({ recorded: undefined })).toEqual({ ok: false, ids: ['receipt-on-chain'] })
  })

  test('is not ok, but not final, where the chain recorded it in a block that is not final', () => {
    const stateOf = (change: Partial<Options>) => {
      const { state, ok, checks } = verifyJobReceipt({ ...good, ...change })
      expect(ok).toBe(state === 'verified')
      return [state, checks.at(-1)?.result]
    }
    const waits = { recordedAt: { block: 12n, final: false } }
    expect(stateOf(waits)).toEqual(['not-final', 'not-checked'])
    expect(stateOf({ recordedAt: undefined })).toEqual(['not-final', 'not-checked'])
    // What does not hold is not waited for.
    expect(stateOf({ ...waits, result: Uint8Array.of(1) })).toEqual(['not-verified', 'not-checked'])
    expect(stateOf({ ...waits, recorded: digestOf('another') })).toEqual(['not-verified', 'fail'])
    expect(stateOf({ ...waits, recorded: undefined })).toEqual(['not-verified', 'not-checked'])
  })

  test('is not ok without the results, or with other ones', () => {
    const { bundle, recorded, trust, at } = good
    const bare = verifyJobReceipt({ bundle, recorded, recordedAt, deployment, trust, at })
    const unchecked = bare.checks.filter(({ result }) => result === 'not-checked').map(({ id }) => id)
    expect(bare.ok).toBe(false)
    expect(unchecked).toEqual(['result', 'sealed-result'])
    expect(open({ result: Uint8Array.of(1) }).ids).toEqual(['result'])
    expect(open({ sealedResult: Uint8Array.of(1) }).ids).toEqual(['sealed-result'])
  })

  test('judges by the caller’s trust, not by the node’s word', () => {
    const { ok, ids } = open({ trust: { ...trust, allowSimulator: false } })
    expect(ok).toBe(false)
    expect(ids).toContain('trust')
  })

  test.each<readonly [string, Partial<Options['bundle']>, string]>([
    ['policy', { policies: {} }, 'policies'],
    ['manifest', { manifest: null }, 'manifest'],
    ['plan', { plan: null }, 'plan'],
    ['verdicts', { verdicts: {} }, 'verdicts'],
    ['evidence', { evidence: {} }, 'evidence'],
    ['receipt', { receipt: {} }, 'receipt-form'],
  ])('a bundle without its %s is not ok and throws nothing', (_name, change, id) => {
    const { ok, ids } = open({ bundle: { ...bundle, ...change } })
    expect(ok).toBe(false)
    expect(ids).toContain(id)
  })
})

describe('whoever gets the receipt alone', () => {
  const { bundle, recorded } = good
  const auditor = `0x${'ab'.repeat(20)}` as const
  const consumer = `0x${'cc'.padStart(40, '0')}` as const
  const bare: Options = { bundle, recorded, recordedAt, deployment, trust, at }
  const stateOf = (change: Partial<Options>) => {
    const { ok, state, checks } = verifyJobReceipt({ ...bare, recipient: auditor, ...change })
    expect(ok).toBe(state === 'verified')
    return [state, ...checks.flatMap(({ id, result }) => (result === 'pass' ? [] : [`${id} ${result}`]))]
  }
  const unseen = ['result not-checked', 'sealed-result not-checked']

  test('is told that all else holds, and what he cannot check', () => {
    expect(stateOf({})).toEqual(['receipt-verified', ...unseen])
    const { checks } = verifyJobReceipt({ ...bare, recipient: auditor })
    for (const { detail } of checks.filter(({ result }) => result !== 'pass'))
      expect(detail).toBe(`Cannot be checked: the job gives ${auditor} the receipt alone.`)
    // To the consumer it can be shown: for him it is not verified.
    expect(stateOf({ recipient: undefined })).toEqual(['not-verified', ...unseen])
    expect(stateOf({ recipient: consumer.toUpperCase().replace('X', 'x') as typeof consumer })[0]).toBe(
      'not-verified',
    )
    // Who holds the result after all checks it.
    expect(stateOf({ result, sealedResult })).toEqual(['verified'])
    expect(stateOf({ result })).toEqual(['receipt-verified', 'sealed-result not-checked'])
  })

  test.each<readonly [string, Partial<Options>, string, string]>([
    ['the node is not trusted', { trust: { ...trust, allowSimulator: false } }, 'not-verified', 'trust fail'],
    ['the plan is missing', { bundle: { ...bundle, plan: null } }, 'not-verified', 'plan not-checked'],
    ['the result is another one', { result: Uint8Array.of(1) }, 'not-verified', 'result fail'],
    ['it is not on the chain', { recorded: undefined }, 'not-verified', 'receipt-on-chain not-checked'],
    ['it is another one', { recorded: digestOf('another') }, 'not-verified', 'receipt-on-chain fail'],
    ['it is not final', { recordedAt: undefined }, 'not-final', 'receipt-on-chain not-checked'],
    ['it is no receipt', { bundle: { ...bundle, receipt: {} } }, 'not-verified', 'receipt-form fail'],
  ])('is told no when %s', (_, change, state, open) => {
    const told = stateOf(change)
    expect(told[0]).toBe(state)
    expect(told).toContain(open)
  })

  test('is whom the receipt names so, as the manifest has it', () => {
    const witness = `0x${'12'.repeat(20)}` as const
    const sealed = digestOf('copy')
    const others = [{ address: witness, resultKey: null, view: { kind: 'receipt' } }]
    const job = usualJob()
    const withViews = (consumers: 'whole' | 'receipt') =>
      receiptBundle(
        (body) => ({
          ...body,
          result: {
            digest: digestOf('views'),
            sealed: digestOf(consumers === 'whole' ? [sealed, null] : [null, null]),
            mediaType: 'application/json',
            views: [
              {
                recipient: consumer,
                view: { kind: consumers },
                sealed: consumers === 'whole' ? sealed : null,
              },
              { recipient: witness, view: { kind: 'receipt' }, sealed: null },
            ],
          },
        }),
        { ...job, manifest: { ...job.manifest, views: { consumer: { kind: 'whole' }, others } } },
      )
    const shown = withViews('whole')
    expect(stateOf({ ...shown, recipient: witness })).toEqual(['receipt-verified', ...unseen])
    expect(stateOf({ ...shown, recipient: consumer })).toEqual(['not-verified', ...unseen])
    expect(stateOf(shown)).toEqual(['receipt-verified', ...unseen])
    // A node that withholds the consumer's view cannot call it the receipt that he gets.
    const [state, ...open] = stateOf({ ...withViews('receipt'), recipient: consumer })
    expect(state).toBe('not-verified')
    expect(open).toContain('views fail')
  })
})
