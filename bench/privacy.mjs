// Exact noise against the randomness it consumes and against the floating-point noise that textbooks print; the ledger against the
// fsync it cannot leave out; the accountant, budgets of a million contributors, Mondrian, redaction beside two npm packages, and an
// index of sketches.
import { mkdtempSync, rmSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  admitLeaves,
  applyCharge,
  chargeLeaves,
  createFilter,
  createLeafBudget,
  createMemoryLedger,
  discreteGaussian,
  discreteLaplace,
  gaussianSigmaFor,
  laplaceScaleFor,
  platformRandom,
  predrawn,
} from '@sealpool/privacy'
import { mondrian } from '@sealpool/privacy/anonymity'
import { openFileLedger } from '@sealpool/privacy/file-ledger'
import { createPiiDetector, piiLocales, redactPii } from '@sealpool/privacy/pii'
import { minHash } from '@sealpool/privacy/sketch'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'
import { containmentOfSets } from './privacy/containment.mjs'

/** A randomness port that counts. */
function counting() {
  const port = (length) => {
    port.bytes += length
    port.calls += 1
    return platformRandom(length)
  }
  port.bytes = 0
  port.calls = 0
  return port
}

/** Inverse-transform Laplace in doubles. Unsafe for privacy (Mironov 2012): its gaps tell the value. A yardstick only. */
function textbookLaplace(scale) {
  const uniform = Math.random() - 0.5
  return -scale * Math.sign(uniform) * Math.log(1 - 2 * Math.abs(uniform))
}

export async function run({ print }) {
  printMachine(print)
  await noise(print)
  await budgets(print)
  contributors(print)
  await tables(print)
  containmentOfSets(print)
}

async function noise(print) {
  const count = 4_000
  const costs = { epsilon: 0.5, delta: 1e-6 }
  const laplaces = [1n, 100n, 1_000_000n].map((sensitivity) => ({
    label: `discrete Laplace, sensitivity ${sensitivity.toLocaleString('en-US')}`,
    noise: laplaceScaleFor({ ...costs, sensitivity }),
    sample: (noise, random) => discreteLaplace({ scale: noise.scale, random }),
  }))
  const gaussians = [1n, 1_000_000n].map((sensitivity) => ({
    label: `discrete Gaussian, sensitivity ${sensitivity.toLocaleString('en-US')}`,
    noise: gaussianSigmaFor({ ...costs, sensitivity }),
    sample: (noise, random) => discreteGaussian({ sigmaSquared: noise.sigmaSquared, random }),
  }))
  const samplers = [...laplaces, ...gaussians]
  let sink = 0
  const work = {}
  for (const [index, { noise, sample }] of samplers.entries()) {
    work[`direct${index}`] = () => {
      for (let draw = 0; draw < count; draw++) sink += Number(sample(noise, platformRandom))
    }
    work[`pool${index}`] = () => {
      const pool = predrawn(platformRandom)
      pool.reserve(noise, count)
      for (let draw = 0; draw < count; draw++) sink += Number(pool.draw(noise))
    }
  }
  work.textbook = () => {
    for (let draw = 0; draw < count; draw++) sink += textbookLaplace(2)
  }
  const block = new Uint8Array(65_536)
  work.random = () => {
    for (let round = 0; round < 64; round++) globalThis.crypto.getRandomValues(block)
  }
  const took = await compare(work)
  if (Number.isNaN(sink)) throw new Error('a sampler gave no number')
  const randomBytesPerSecond = (64 * block.length) / took.random

  const rows = samplers.map(({ label, noise, sample }, index) => {
    const random = counting()
    for (let draw = 0; draw < count; draw++) sample(noise, random)
    const bytes = random.bytes / count
    const best = Math.min(took[`direct${index}`], took[`pool${index}`])
    return [
      label,
      figure(count / took[`direct${index}`]),
      figure(count / took[`pool${index}`]),
      figure(bytes),
      figure(random.calls / count),
      ratio(best, (count * bytes) / randomBytesPerSecond),
    ]
  })
  printTable(print, {
    title: `Samples of noise for epsilon 0.5 (Gaussian: delta 1e-6), ${count.toLocaleString('en-US')} a turn`,
    columns: [
      '',
      'samples/s',
      'predrawn/s',
      'random bytes each',
      'port calls each',
      'best time / its random bytes',
    ],
    rows: [
      ...rows,
      [
        'textbook Laplace in doubles: UNSAFE, a yardstick',
        figure(count / took.textbook),
        null,
        null,
        null,
        null,
      ],
    ],
    notes: [
      `crypto.getRandomValues in blocks of 64 KiB: ${figure(randomBytesPerSecond / 2 ** 20)} MiB/s, the limit that the last column divides by.`,
      'samples/s call the platform’s generator for every few bytes; predrawn/s draw it in blocks.',
    ],
  })
}

/** Charges a second: in memory, in a file one by one and many at once, and the fsync of as many bytes without a ledger. */
async function budgets(print) {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-bench-ledger-'))
  const totals = { accounting: 'zcdp', epsilon: 1e6, delta: 1e-6 }
  const charge = { epsilon: 0.01, delta: 0 }
  let number = 0
  const request = () => ({ pool: 'pay', job: `job-${number++}`, leaves: ['pay.workers'], charge })
  const memory = createMemoryLedger()
  const file = await openFileLedger({ path: join(folder, 'budget.jsonl') })
  const plain = await openFile(join(folder, 'plain'), 'w')
  const line = Buffer.alloc(700, 97)
  try {
    for (const ledger of [memory, file]) await ledger.open('pay', totals)
    const many = 64
    let state = createFilter(totals)
    const took = await compare({
      filter() {
        for (let turn = 0; turn < 1_000; turn++) state = applyCharge(state, charge)
      },
      async memory() {
        for (let turn = 0; turn < 200; turn++) await memory.charge(request())
      },
      file: () => file.charge(request()),
      fileAtOnce: () => Promise.all(Array.from({ length: many }, () => file.charge(request()))),
      async fsync() {
        await plain.write(line)
        await plain.sync()
      },
    })
    printTable(print, {
      title: 'Charges',
      columns: ['', 'charges/s', 'time / fsync'],
      rows: [
        ['filter alone', figure(1_000 / took.filter), null],
        ['ledger in memory, hash-chained', figure(200 / took.memory), null],
        ['ledger in a file, one by one', figure(1 / took.file), ratio(took.file, took.fsync)],
        [
          `ledger in a file, ${many} at once`,
          figure(many / took.fileAtOnce),
          ratio(took.fileAtOnce / many, took.fsync),
        ],
      ],
      notes: [`write and fsync of ${line.length} bytes without a ledger: ${figure(took.fsync * 1e3)} ms.`],
    })
  } finally {
    await plain.close()
    await file.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

/** State of a million contributors who joined between charges: as JSON and on the heap. */
function contributors(print) {
  const rows = [1, 100, 2_000, 20_000].map((rounds) => {
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    const started = performance.now()
    let budget = createLeafBudget({ accounting: 'zcdp', epsilon: 3, delta: 1e-6 })
    for (let round = 0; round < rounds; round++) {
      budget = admitLeaves(budget, { table: 'pay.workers', contributors: 1_000_000 / rounds }).budget
      if (round % Math.ceil(rounds / 2_000) === 0) {
        budget = chargeLeaves(budget, {
          charge: { epsilon: 0.001, delta: 0 },
          tables: ['pay.workers'],
        }).budget
      }
    }
    const seconds = (performance.now() - started) / 1000
    collectGarbage()
    const heap = (process.memoryUsage().heapUsed - before) / 2 ** 20
    const { runs, leaves } = budget.tables['pay.workers']
    if (leaves !== 1_000_000) throw new Error('not a million contributors')
    return [
      `${rounds.toLocaleString('en-US')} arrivals`,
      figure(runs.length),
      figure(JSON.stringify(budget).length / 2 ** 20),
      figure(heap),
      figure(seconds),
    ]
  })
  printTable(print, {
    title: 'Budgets of 1,000,000 contributors, charged up to 2,000 times while they arrive',
    columns: ['', 'entries', 'MiB as JSON', 'MiB on the heap', 'seconds in all'],
    rows,
    notes: ['bar: below 1 MiB.'],
  })
}

/** Mondrian against sorting the same rows once; sketches; redaction against the peers that find less (conformance -- pii). */
async function tables(print) {
  const require = createRequire(import.meta.url)
  let seed = 1
  const below = (bound) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 8) % bound
  }
  const regions = Array.from({ length: 16 }, (_, index) => `r${index}`)
  const rows = Array.from({ length: 100_000 }, () => ({
    age: 18 + below(73),
    wage: below(50_000),
    region: regions[below(16)],
  }))
  const columns = [
    { name: 'age', kind: 'integer', min: 18, max: 90 },
    { name: 'wage', kind: 'integer', min: 0, max: 50_000 },
    { name: 'region', kind: 'category', values: regions },
  ]
  const items = Array.from({ length: 5_000 }, (_, index) => `item ${index}`)
  const key = new Uint8Array(32).fill(1)
  const detector = createPiiDetector({ locales: piiLocales })
  const text = Array.from(
    { length: 200 },
    (_, index) =>
      `Order ${index} of Dear Anna Miller, ann${index}@example.org, +49 30 1234567, 4111 1111 1111 1111, went out on 3 May. `,
  ).join('')
  const redactpii = new (require('@redactpii/node').Redactor)({})
  const redactPiiPeer = new (require('redact-pii').SyncRedactor)()
  let groups = 0
  const took = await compare(
    {
      mondrian() {
        groups = mondrian(rows, { columns, k: 10 }).groups.length
      },
      sort: () => [...rows].sort((a, b) => a.wage - b.wage),
      minHash: () => minHash({ items, key, use: 'bench' }),
      redact: () => redactPii(text, { detector, mode: 'token' }),
      redactpii: () => redactpii.redact(text),
      redactPiiPeer: () => redactPiiPeer.redact(text),
    },
    { turns: 3 },
  )
  const megabytes = text.length / 1e6
  printTable(print, {
    title: 'Tables, sets, texts',
    columns: ['', 'seconds', 'per second', 'beside'],
    rows: [
      [
        `Mondrian, 100,000 rows, 3 columns, k 10 (${groups} groups)`,
        figure(took.mondrian),
        `${figure(rows.length / took.mondrian)} rows`,
        `${ratio(took.mondrian, took.sort)} one sort`,
      ],
      [
        'MinHash, 5,000 items, 256 orders',
        figure(took.minHash),
        `${figure(items.length / took.minHash)} items`,
        null,
      ],
      [
        'redaction, 8 languages, 13 types',
        figure(took.redact),
        `${figure(megabytes / took.redact)} MB`,
        null,
      ],
      [
        '@redactpii/node, 5 types',
        figure(took.redactpii),
        `${figure(megabytes / took.redactpii)} MB`,
        ratio(took.redact, took.redactpii),
      ],
      [
        'redact-pii',
        figure(took.redactPiiPeer),
        `${figure(megabytes / took.redactPiiPeer)} MB`,
        ratio(took.redact, took.redactPiiPeer),
      ],
    ],
    notes: ['beside, for the peers: our time over theirs. What each finds: npm run conformance -- pii.'],
  })
}
