import type { JobReceiptVerdict } from '../result/verify-job-receipt.js'

const marks = { pass: 'ok ', fail: 'NO ', 'not-checked': '?  ' } as const
const states = {
  verified: 'VERIFIED',
  'receipt-verified':
    'RECEIPT VERIFIED: all holds that can be checked by whoever gets the receipt alone; what the result says was not checked',
  'not-final': 'NOT FINAL YET: all else holds; ask again when the block has more blocks on top',
  'not-verified': 'NOT VERIFIED',
} as const

/**
 * A verdict on a job's receipt for people: every check, by which block the homes were judged, and the verdict last.
 *
 * @param verdict from `verifyReceipt` of a client
 * @returns lines
 */
export function receiptText(
  verdict: Pick<JobReceiptVerdict, 'checks' | 'state' | 'simulated' | 'recordedBlock' | 'homesBlock'>,
): string {
  const { checks, state, simulated } = verdict
  const lines = checks.map(({ result, title, detail }) => `${marks[result]} ${title}\n      ${detail}`)
  return [...lines, '', ...homesLines(verdict), `${states[state]}${simulated ? ' (SIMULATED)' : ''}`].join(
    '\n',
  )
}

function homesLines({
  recordedBlock,
  homesBlock,
}: Pick<JobReceiptVerdict, 'recordedBlock' | 'homesBlock'>): readonly string[] {
  if (homesBlock === null) return []
  const line = `The homes were judged by the chain at block ${homesBlock}`
  if (homesBlock === recordedBlock) return [`${line}, in which the job ended.`]
  if (recordedBlock === null) return [`${line}; where the job ended is not known.`]
  return [
    `${line}, not at block ${recordedBlock}, in which the job ended: the endpoint does not keep that state.`,
  ]
}
