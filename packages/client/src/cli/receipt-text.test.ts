import { describe, expect, test } from 'vitest'
import { receiptText } from './receipt-text.js'

const usual = {
  checks: [
    { id: 'a', title: 'One', result: 'pass', detail: 'fine' },
    { id: 'b', title: 'Two', result: 'fail', detail: 'wrong' },
    { id: 'c', title: 'Three', result: 'not-checked', detail: 'open' },
  ],
  state: 'not-verified',
  simulated: false,
  recordedBlock: 12n,
  homesBlock: null,
} as const
const last = (change: Partial<Parameters<typeof receiptText>[0]>) =>
  receiptText({ ...usual, ...change })
    .split('\n')
    .slice(-2)

describe('the text of a verdict', () => {
  test('has every check, and the verdict last', () => {
    expect(receiptText(usual)).toBe(
      'ok  One\n      fine\nNO  Two\n      wrong\n?   Three\n      open\n\nNOT VERIFIED',
    )
    expect(last({ state: 'verified', simulated: true })[1]).toBe('VERIFIED (SIMULATED)')
    expect(last({ state: 'not-final' })[1]).toMatch(/^NOT FINAL YET/)
    expect(last({ state: 'receipt-verified' })[1]).toMatch(/^RECEIPT VERIFIED: .* was not checked$/)
  })

  test('says at which block the homes were judged, and when it was not the one in which the job ended', () => {
    expect(last({ homesBlock: 12n })[0]).toBe(
      'The homes were judged by the chain at block 12, in which the job ended.',
    )
    expect(last({ homesBlock: 40n })[0]).toMatch(/at block 40, not at block 12, .* does not keep that state/)
    expect(last({ homesBlock: 40n, recordedBlock: null })[0]).toMatch(/at block 40; where .* not known/)
  })
})
