import {
  derivePoolKey,
  equalBytes,
  hpkeIdentity,
  hpkeRecipient,
  parseHeader,
  platformRandom,
  sealBytes,
  sealedReader,
} from '@sealpool/crypto'
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
export async function constantTime(print) {
  const secret = platformRandom(length)
  const first = secret.map((byte, index) => (index === 0 ? byte ^ 1 : byte))
  const last = secret.map((byte, index) => (index === length - 1 ? byte ^ 1 : byte))
  const results = {
    'equalBytes, difference in the first or the last byte': judge(equalBytes, secret, first, last),
    'equalBytes, equal or difference in the first byte': judge(equalBytes, secret, first, secret.slice()),
    'positive control: a comparison that stops at the first difference': judge(
      stopsEarly,
      secret,
      first,
      last,
    ),
    'negative control: twice the same input': judge(equalBytes, secret, first, first.slice()),
  }
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
  await constantTimeOfTags(print)
}

function stopsEarly(one, two) {
  for (let index = 0; index < one.length; index++) if (one[index] !== two[index]) return false
  return true
}

/** A tag of 16 bytes, and two that differ from it in the first and in the last byte. */
function tagsThatDiffer() {
  const tag = platformRandom(16)
  return [tag, ...[0, 15].map((at) => tag.map((byte, index) => (index === at ? byte ^ 1 : byte)))]
}

const row = ([name, { t, difference, limit }]) => [
  name,
  figure(Math.abs(t)),
  figure(difference * 1e9),
  figure(limit * 1e9),
  Math.abs(t) > 4.5 ? 'leaks' : 'no leak seen',
]

/**
 * The same for the tags of chunks: a chunk of an open file is read with the first or the last byte of its tag wrong, in backend
 * pure (noble computes and compares the tag). The positive control reads the same wrong tag in both cases,
 * after a comparison of 16,384 bytes that stops at the first or at the last byte: a leak of that size must be found. One of 16
 * bytes is about a thousand times smaller and lies under the detection limit, which the notes say with figures.
 *
 * @param print takes one line
 */
async function constantTimeOfTags(print) {
  const results = []
  for (const suite of ['aes-256-gcm', 'xchacha20-poly1305']) {
    const refuse = await tagReader(suite)
    results.push([
      `${suite}, pure: first or last byte of the tag wrong`,
      await judgeReads(refuse, [0, 15], () => undefined),
    ])
    if (suite !== 'aes-256-gcm') continue
    const early = stopping(controlLength)
    results.push([
      'positive control: beside it a comparison of 16,384 bytes that stops early',
      await judgeReads(refuse, [0, 0], early),
    ])
    results.push([
      'negative control: twice the same wrong tag',
      await judgeReads(refuse, [0, 0], () => undefined),
    ])
  }
  // What the check is named for, timed alone: how much there would be to find.
  const [bytes, atFirst, atLast] = tagsThatDiffer()
  const earlyExit = Math.abs(judge(stopsEarly, bytes, atFirst, atLast).difference)
  const widest = Math.max(...results.map(([, { limit }]) => limit))
  printTable(print, {
    title: `Timing of refused tags: Welch's t on ${tagSamples} interleaved samples of ${tagBatch} reads of a chunk of 64 bytes`,
    columns: ['', '|t|', 'difference, ns per read', 'detection limit, ns per read', '|t| > 4.5'],
    rows: results.map(row),
    notes: [
      `A byte-wise comparison of 16 bytes that stops at the first difference costs ${figure(earlyExit * 1e9)} ns more at the last byte than at the`,
      `first (timed alone, in this run). The largest detection limit above is ${figure(widest * 1e9)} ns: ${
        earlyExit < widest
          ? 'such an early exit lies under it, and WOULD NOT BE SEEN here.'
          : 'such an early exit would be seen in this run.'
      }`,
      'The limit is wide, since a whole read is timed: GHASH or Poly1305 in JavaScript, an error object, two promises. What is',
      'shown is only that nothing larger than the limit depends on where the tag differs; the positive control is far larger. That',
      'tags are compared without an early exit is read in the source of noble, not measured. Native tags (OpenSSL, WebCrypto) are',
      'not timed. Of the times the slower half was left out.',
    ],
  })
  if (Math.abs(results[1][1].t) <= 4.5)
    throw new Error('the positive control was not detected: this run shows nothing')
}

const tagSamples = 4000
const tagBatch = 5
const controlLength = 16_384

/** Reads the first chunk of a file whose tag is wrong at one byte. */
async function tagReader(suite) {
  const scope = {
    chainId: 1,
    pool: `0x${'ab'.repeat(20)}`,
    policyDigest: `sha256:${'cd'.repeat(32)}`,
    epoch: 1,
  }
  const key = derivePoolKey({ root: platformRandom(32), ...scope })
  const context = { ...scope, mediaType: 'text/plain' }
  const sealed = await sealBytes(platformRandom(64), {
    recipients: [hpkeRecipient(key)],
    context,
    suite,
    chunkSize: 64,
  })
  const tagAt = parseHeader(sealed).payloadOffset + 64
  const source = { size: sealed.length, read: (at, length) => sealed.subarray(at, at + length) }
  const reader = await sealedReader({ source, identities: [hpkeIdentity(key)], backend: 'pure' })
  if ((await reader.read(0, 64)).length !== 64) throw new Error('the right tag was refused')
  return async (byte, times) => {
    sealed[tagAt + byte] ^= 1
    let refused = 0
    for (let turn = 0; turn < times; turn++) await reader.read(0, 64).catch(() => refused++)
    sealed[tagAt + byte] ^= 1
    if (refused !== times) throw new Error('a wrong tag was accepted')
  }
}

/** A comparison that stops at the first difference, which lies at the start in case 0 and at the end in case 1. */
function stopping(size) {
  const secret = platformRandom(size)
  const others = [0, size - 1].map((at) => secret.map((byte, index) => (index === at ? byte ^ 1 : byte)))
  return (which) => {
    const other = others[which]
    let at = 0
    while (at < size && secret[at] === other[at]) at++
    return at
  }
}

async function judgeReads(refuse, bytes, beside) {
  const times = [[], []]
  let sink = 0
  for (let sample = -100; sample < tagSamples; sample++) {
    for (const which of Math.random() < 0.5 ? [0, 1] : [1, 0]) {
      const started = performance.now()
      for (let turn = 0; turn < tagBatch; turn++) sink += beside(which) ?? 0
      await refuse(bytes[which], tagBatch)
      const elapsed = (performance.now() - started) / tagBatch / 1000
      if (sample >= 0) times[which].push(elapsed)
    }
  }
  if (sink < 0) throw new Error('unreachable')
  return welch(times, 0.5)
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
  return welch(times, 0.9)
}

function welch(times, share) {
  const [left, right] = times.map((list) => statistics(cropped(list, share)))
  const spread = Math.sqrt(left.variance / left.count + right.variance / right.count)
  const difference = left.mean - right.mean
  return { t: difference / spread, difference, limit: 4.5 * spread }
}

function cropped(list, share) {
  return [...list].sort((one, two) => one - two).slice(0, Math.floor(list.length * share))
}

function statistics(list) {
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length
  const variance = list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (list.length - 1)
  return { mean, variance, count: list.length }
}
