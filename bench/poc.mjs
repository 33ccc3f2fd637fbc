// Small signed contributions judged in the sandbox, against the same function called directly.
import { runInNewContext } from 'node:vm'
import { ed25519 } from '@noble/curves/ed25519.js'
import { canonicalBytes, encodeBase64Url } from '@sealpool/crypto'
import {
  contentSketch,
  createNearDuplicateIndex,
  decodeNearDuplicateIndex,
  encodeIndex,
  runPoc,
  verifyIssuerSignature,
} from '@sealpool/poc'
import { bundlePoc } from '@sealpool/poc/bundle'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { withModule } from './builder/with-module.mjs'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const count = 60
const secret = new Uint8Array(32).fill(7)
const owner = '0x00112233445566778899aabbccddeeff00112233'
const mediaType = 'application/json'
const limits = { memoryBytes: 2 ** 26, timeMs: 2_000, outputBytes: 65_536 }
const issuers = [{ name: 'Bureau', ed25519PublicKey: encodeBase64Url(ed25519.getPublicKey(secret)) }]

// A builder's module that comes to about 20 kB with a table of categories in it.
const categories = Array.from({ length: 700 }, (_, index) => `occupation-${String(index).padStart(5, '0')}`)
const proofSource = `import { definePoc, refuse } from '@sealpool/poc/define'
const categories = new Set(${JSON.stringify(categories)})
export default definePoc({
  id: 'bench', version: '1', issuers: ${JSON.stringify(issuers)},
  input: (raw) => {
    const { account, wage, occupation } = raw.payload
    return /^\\d+\\.\\d\\d$/.test(wage) ? { account, wage: Number(wage), occupation } : refuse('WRONG_WAGE', 'payload.wage')
  },
  checks: {
    owner: ({ account }, { facts }) => ({ passed: account === facts.owner, dimension: 'ownership', refusal: 'WRONG_OWNER' }),
    wage: ({ wage }) => ({ passed: wage > 1 && wage < 100, weight: 2 }),
    occupation: ({ occupation }) => ({ passed: categories.has(occupation) }),
  },
  score: { authenticity: 1, ownership: 1, quality: 2 },
})
`

function signedExports() {
  return Array.from({ length: count }, (_, index) => {
    const payload = {
      employee: `E-${index}`,
      account: owner,
      period: '1985-05',
      wage: (5 + (index % 40) / 4).toFixed(2),
      occupation: categories[index % categories.length],
    }
    const signature = encodeBase64Url(ed25519.sign(canonicalBytes(payload), secret))
    return new TextEncoder().encode(JSON.stringify({ issuer: 'Bureau', payload, signature }))
  })
}

function insist({ valid, score }) {
  if (!valid || score !== 1) throw new Error('a valid contribution was not accepted')
}

export async function run({ print }) {
  printMachine(print)
  const poc = await withModule(proofSource, (entry) => bundlePoc({ entry }))
  const exports = signedExports()
  const decoder = new TextDecoder()
  const native = runInNewContext(`${poc.code}\nglobalThis.sealpool`)
  const known = { uniqueness: { duplicate: false } }
  const judgedBy = (runtime, facts) => async () => {
    for (const [index, bytes] of exports.entries()) {
      const contribution = { id: String(index), pool: owner, owner, mediaType, bytes }
      insist(await runPoc({ poc, runtime, limits, contribution, facts }))
    }
  }
  const evaluate = (bytes, issuer) =>
    insist(
      native.evaluate({
        file: { mediaType, text: decoder.decode(bytes) },
        facts: { ...known, owner, issuer },
      }),
    )

  const runtimes = {
    inProcess: await createQuickJsRuntime(),
    process: await createProcessRuntime({ isolation: 'process' }),
  }
  try {
    runtimes.bubblewrap = await createProcessRuntime({ isolation: 'bubblewrap' })
  } catch (error) {
    print(`bubblewrap is not measured: ${error.code}`)
  }
  const labels = {
    inProcess: 'runPoc, QuickJS in this process',
    process: 'runPoc, child process',
    bubblewrap: 'runPoc, child under bubblewrap',
  }
  const issuer = { name: 'Bureau', valid: true }
  const last = runtimes.bubblewrap ?? runtimes.process
  try {
    const work = {}
    for (const [name, runtime] of Object.entries(runtimes)) work[name] = judgedBy(runtime, known)
    work.noSignature = judgedBy(last, { ...known, issuer })
    work.native = () => {
      for (const bytes of exports) evaluate(bytes, verifyIssuerSignature({ bytes, issuers }))
    }
    work.function = () => {
      for (const bytes of exports) evaluate(bytes, issuer)
    }
    const took = await compare(work)
    const row = (label, name) => [
      label,
      figure(count / took[name]),
      figure((took[name] / count) * 1000),
      ratio(took[name], took.native),
    ]
    printTable(print, {
      title: `Signed exports of about ${Math.round(exports[0].length / 10) * 10} bytes, proof bundle of ${figure(poc.code.length / 1000)} kB, fresh context for each`,
      columns: ['', 'a second', 'ms each', 'time / direct'],
      rows: [
        ...Object.keys(runtimes).map((name) => row(labels[name], name)),
        row(`runPoc, ${last.isolation}, issuer's signature already checked`, 'noSignature'),
        row('called directly: signature (Ed25519, noble) and function', 'native'),
        row('called directly: the function alone', 'function'),
      ],
    })
    const perCore = {}
    for (const name of ['inProcess', 'native']) {
      perCore[name] = await perCpuSecond(work[name])
    }
    printTable(print, {
      title: 'The same in CPU seconds of this process, which neighbours do not stretch',
      columns: ['', 'a second and core'],
      rows: [
        ['inside: runPoc, QuickJS in this process', figure(perCore.inProcess)],
        ['outside: called directly, signature and function', figure(perCore.native)],
      ],
    })
  } finally {
    for (const runtime of Object.values(runtimes)) await runtime.close()
  }
  measureIndex(print)
}

/** Contributions judged in a second of this process's CPU time, garbage collection and all: the median of seven rounds. */
async function perCpuSecond(judgeAll) {
  const rates = []
  for (let round = 0; round < 7; round++) {
    const before = process.cpuUsage()
    await judgeAll()
    const { user, system } = process.cpuUsage(before)
    rates.push((count * 1e6) / (user + system))
  }
  return rates.sort((a, b) => a - b)[3]
}

const contributions = 1_000_000
const questions = 2_000

/** Time of an answer and memory of the near-duplicate index, and that a copy of 90 % is found among a million. */
function measureIndex(print) {
  const key = new Uint8Array(32).fill(1)
  const rows = (seed, from, to) =>
    Array.from({ length: to - from }, (_, index) => `${seed}-${from + index},${(seed * 31 + index) % 97}`)
  const file = (list) => new TextEncoder().encode(['id,value', ...list].join('\n'))
  const sketch = (list) => contentSketch({ key, mediaType: 'text/csv', bytes: file(list) })
  const index = createNearDuplicateIndex({ capacity: contributions })
  let started = performance.now()
  // Sketching a million files would take minutes and says nothing of the index: all but the asked ones are random words.
  const words = new Uint32Array(64)
  for (let entry = 0; entry < contributions; entry++) {
    const own = entry % (contributions / questions) === 0
    if (own) index.add(sketch(rows(entry + 1, 0, 50)))
    else index.add({ words: crypto.getRandomValues(words), items: 50 })
  }
  const filled = performance.now() - started
  const asked = []
  for (let question = 0; question < questions; question++) {
    const seed = question * (contributions / questions) + 1
    asked.push({ seed, sketch: sketch([...rows(seed, 0, 45), ...rows(seed + 0.5, 0, 5)]) })
  }
  const times = []
  let found = 0
  for (const { seed, sketch: own } of asked) {
    started = performance.now()
    const nearest = index.nearest(own)
    times.push(performance.now() - started)
    if (nearest?.entry === seed - 1 && nearest.contained > 0.6) found++
  }
  times.sort((a, b) => a - b)
  started = performance.now()
  for (let round = 0; round < 200; round++) sketch(rows(round, 0, 50))
  const sketching = (performance.now() - started) / 200
  started = performance.now()
  const { bytes, digest } = encodeIndex({ kind: 'near', index, key })
  const encoded = performance.now() - started
  started = performance.now()
  const again = decodeNearDuplicateIndex({ bytes, digest, key })
  const decoded = performance.now() - started
  if (again.nearest(asked[0].sketch)?.entry !== index.nearest(asked[0].sketch)?.entry) {
    throw new Error('the index that was read answers otherwise')
  }
  if (found < questions * 0.99) throw new Error(`only ${found} of ${questions} copies were found`)
  printTable(print, {
    title: `Near-duplicate index of ${contributions.toLocaleString('en')} contributions, ${questions} copies of 90 % asked for`,
    columns: ['', ''],
    rows: [
      ['copies found', `${found} of ${questions}`],
      ['answer, median', `${figure(times[questions / 2])} ms`],
      ['answer, 99 of 100', `${figure(times[Math.floor(questions * 0.99)])} ms`],
      ['answer, longest', `${figure(times[questions - 1])} ms`],
      ['memory of the index', `${figure(index.bytes / 2 ** 20)} MiB`],
      ['file of the index', `${figure(bytes.length / 2 ** 20)} MiB`],
      ['writing the file', `${figure(encoded)} ms`],
      ['reading and checking it', `${figure(decoded)} ms`],
      ['filling it, each', `${figure((filled / contributions) * 1000)} us`],
      ['sketching a file of 50 rows', `${figure(sketching)} ms`],
    ],
  })
}
