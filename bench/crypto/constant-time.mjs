import { equalBytes, platformRandom } from '@sealpool/crypto'
import { figure, printTable } from '../measure/table.mjs'

const length = 1024
const batch = 400
const samples = 4000

/**
 * Looks for a difference in time between comparisons of secrets that differ in their first byte and in their last, with
 * Welch's t test on interleaved samples (the method of dudect). A comparison that stops early is the positive control.
 *
 * @param print takes one line
 */
export function constantTime(print) {
  const secret = platformRandom(length)
  const first = secret.map((byte, index) => (index === 0 ? byte ^ 1 : byte))
  const last = secret.map((byte, index) => (index === length - 1 ? byte ^ 1 : byte))
  const stopping = (one, two) => {
    for (let index = 0; index < one.length; index++) if (one[index] !== two[index]) return false
    return true
  }
  const results = {
    'equalBytes, difference in the first or the last byte': judge(equalBytes, secret, first, last),
    'equalBytes, equal or difference in the first byte': judge(equalBytes, secret, first, secret.slice()),
    'positive control: a comparison that stops at the first difference': judge(stopping, secret, first, last),
    'negative control: twice the same input': judge(equalBytes, secret, first, first.slice()),
  }
  const row = ([name, { t, difference, limit }]) => [
    name,
    figure(Math.abs(t)),
    figure(difference * 1e9),
    figure(limit * 1e9),
    Math.abs(t) > 4.5 ? 'leaks' : 'no leak seen',
  ]
  printTable(print, {
    title: `Timing of comparisons of ${length} bytes: Welch's t on ${samples} interleaved samples of ${batch} calls`,
    columns: ['', '|t|', 'difference, ns per call', 'detection limit, ns per call', '|t| > 4.5'],
    rows: Object.entries(results).map(row),
    notes: [
      'The detection limit is the difference that would give |t| = 4.5 with the spread of this run. A smaller leak would',
      'not be seen. AES-GCM and X25519 run natively in WebCrypto; backend pure computes AES with tables, whose leaks',
      'through caches this does not look for.',
    ],
  })
  const control = results['positive control: a comparison that stops at the first difference']
  if (Math.abs(control.t) <= 4.5)
    throw new Error('the positive control was not detected: this run shows nothing')
}

function judge(compare, secret, one, two) {
  const times = [[], []]
  // Both inputs are put into the same bytes: where they lie must make no difference.
  const other = secret.slice()
  let sink = 0
  for (let sample = -200; sample < samples; sample++) {
    const order = Math.random() < 0.5 ? [0, 1] : [1, 0]
    for (const which of order) {
      other.set(which === 0 ? one : two)
      const started = performance.now()
      for (let turn = 0; turn < batch; turn++) sink += compare(secret, other) ? 1 : 0
      const elapsed = (performance.now() - started) / batch / 1000
      if (sample >= 0) times[which].push(elapsed)
    }
  }
  if (sink < 0) throw new Error('unreachable')
  // The slowest tenth is the machine's, not the code's.
  const [left, right] = times.map((list) => statistics(cropped(list)))
  const spread = Math.sqrt(left.variance / left.count + right.variance / right.count)
  const difference = left.mean - right.mean
  return { t: difference / spread, difference, limit: 4.5 * spread }
}

function cropped(list) {
  return [...list].sort((one, two) => one - two).slice(0, Math.floor(list.length * 0.9))
}

function statistics(list) {
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length
  const variance = list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (list.length - 1)
  return { mean, variance, count: list.length }
}
