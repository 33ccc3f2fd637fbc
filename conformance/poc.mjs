// `npm run conformance -- poc`: fixtures of every source of authenticity, determinism over 1,000 runs in each runtime, near copies, a
// simulated farm, results.json, and no canary of any input in any verdict, evidence or error.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  contentFingerprint,
  contentSketch,
  contributionFingerprint,
  createNearDuplicateIndex,
  createRowIndex,
  DEFAULT_FARMING_RULE,
  decodeNearDuplicateIndex,
  definePoc,
  encodeIndex,
  fromResultsJson,
  itemsOf,
  marginalValue,
  novelty,
  runPoc,
  toResultsJson,
  verdictDigest,
} from '@sealpool/poc'
import { verifySource } from '@sealpool/poc/authenticity'
import { bundlePoc } from '@sealpool/poc/bundle'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import { canary, fixtures, owner } from './poc/fixtures.mjs'

const limits = { memoryBytes: 2 ** 26, timeMs: 10_000, outputBytes: 65_536 }
const at = 1_900_000_000

/** A proof over any JSON, whose checks throw, recurse and print what they read when the export asks for it. */
const proofOf = (source) => `import { definePoc, refuse } from '@sealpool/poc/define'
export default definePoc({
  id: 'conformance', version: '1',
  ${source === undefined ? '' : `sources: [${JSON.stringify(source)}],`}
  input: (raw) => (raw === null ? refuse('EMPTY', 'file') : raw),
  checks: {
    shape: (value) => {
      const { payload = value } = value
      if (payload.throw) throw new Error(payload.person)
      if (payload.place) return { passed: false, place: String(payload.person), refusal: 'PLACED' }
      if (payload.print) console.log(payload.person)
      return { passed: true, degree: 0.5 }
    },
  },
  score: { quality: 1, authenticity: 1 },
  attributes: (value) => ((value.payload ?? value).quote ? { person: (value.payload ?? value).person } : {}),
})
`

export async function run({ print }) {
  let agree = 0
  let differ = 0
  const seen = []
  const kinds = new Map()
  const count = (kind, holds, name) => {
    const entry = kinds.get(kind) ?? { agree: 0, differ: 0 }
    entry[holds ? 'agree' : 'differ']++
    kinds.set(kind, entry)
    if (holds) agree++
    else {
      differ++
      print(`differs: ${kind}: ${name}`)
    }
  }

  const cases = await fixtures()
  for (const [kind, { source, positive, negative }] of Object.entries(cases)) {
    for (const [index, bytes] of positive.entries()) {
      const findings = verifySource({ source, bytes, owner, at })
      seen.push(JSON.stringify(findings))
      count(
        `authenticity ${kind}`,
        findings.every(({ authentic }) => authentic),
        `positive ${index}`,
      )
    }
    for (const [name, bytes] of Object.entries(negative)) {
      const findings = verifySource({ source, bytes, owner, at })
      seen.push(JSON.stringify(findings))
      count(
        `authenticity ${kind}`,
        findings.length > 0 && findings.every(({ authentic }) => !authentic),
        name,
      )
    }
  }

  const folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'poc', 'bundle-'))
  const bundle = (name, source) => {
    const entry = join(folder, name)
    writeFileSync(entry, source)
    return bundlePoc({ entry })
  }
  const runtimes = { 'in process': await createQuickJsRuntime() }
  try {
    runtimes.child = await createProcessRuntime({ isolation: 'best' })
    const signed = await bundle('signed.mjs', proofOf(cases['platform-signature'].source))
    const plain = await bundle('plain.mjs', proofOf(undefined))
    const again = await bundle('plain.mjs', proofOf(undefined))
    count('digest', again.digest === plain.digest && again.code === plain.code, 'bundled twice')
    count('digest', signed.digest !== plain.digest, 'other parameters')
    const judge = (runtime, poc, bytes, mediaType = 'application/json') =>
      runPoc({
        poc,
        runtime,
        limits,
        contribution: { id: '1', pool: `0x${'11'.repeat(20)}`, owner, mediaType, bytes },
        facts: { uniqueness: { duplicate: false }, at },
      })

    const [good] = cases['platform-signature'].positive
    const digests = new Set()
    for (const [name, runtime] of Object.entries(runtimes)) {
      const own = new Set()
      for (let round = 0; round < 1000; round++) own.add(verdictDigest(await judge(runtime, signed, good)))
      for (const digest of own) digests.add(digest)
      count('determinism', own.size === 1, `1,000 runs ${name}`)
    }
    count('determinism', digests.size === 1, 'all runtimes')

    const text = (value) =>
      new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
    const hostile = [
      [{ throw: true, person: canary }],
      [{ place: true, person: canary }],
      [{ print: true, person: canary }],
      [{ quote: true, person: canary }],
      [`{"${canary}":`],
      [canary, 'text/csv'],
      [`${canary},${canary}\n1,2\n`, 'text/csv'],
      [canary, 'text/plain'],
      [`"${canary}"`],
      [`${'['.repeat(2000)}"${canary}"`],
      [Uint8Array.from([0xff, ...text(canary)])],
    ]
    for (const runtime of Object.values(runtimes)) {
      for (const poc of [plain, signed]) {
        for (const [value, type] of hostile) {
          const bytes = value instanceof Uint8Array ? value : text(value)
          try {
            seen.push(JSON.stringify(await judge(runtime, poc, bytes, type)))
          } catch (error) {
            seen.push(`${error.code} ${error.place} ${error.message} ${error.stack} ${String(error.cause)}`)
          }
        }
        for (const { positive, negative } of Object.values(cases)) {
          for (const bytes of [...positive, ...Object.values(negative)]) {
            seen.push(
              JSON.stringify(
                await judge(runtime, poc, bytes).catch((error) => `${error.message} ${error.stack}`),
              ),
            )
          }
        }
      }
    }
    for (const [index, line] of seen.entries())
      count('no canary', !line.includes('canary'), `answer ${index}`)

    const verdict = await judge(runtimes['in process'], signed, good)
    const { contribution: _, pool: __, poc: ___, ...part } = verdict
    count(
      'results.json',
      JSON.stringify(fromResultsJson(toResultsJson(verdict, { dlpId: 1 }))) === JSON.stringify(part) ||
        same(fromResultsJson(toResultsJson(verdict, { dlpId: 1 })), part),
      'there and back',
    )
  } finally {
    for (const runtime of Object.values(runtimes)) await runtime.close()
    rmSync(folder, { recursive: true, force: true })
  }

  csvCases(count)
  oneFingerprint(count, cases)
  dressedCopies(count)
  nearCopies(count)
  for (const [kind, { agree: yes, differ: no }] of kinds) print(`${kind}: ${yes} agree, ${no} differ`)
  return { agree, differ }
}

function same(left, right) {
  const sorted = (value) =>
    JSON.stringify(value, (_, one) =>
      typeof one === 'object' && one !== null && !Array.isArray(one)
        ? Object.fromEntries(Object.entries(one).sort())
        : one,
    )
  return sorted(left) === sorted(right)
}

/** The cases by which `poc` and `refine` read CSV, through a proof. */
function csvCases(count) {
  const { accepted, refused } = JSON.parse(readFileSync(new URL('./csv/cases.json', import.meta.url), 'utf8'))
  let seen
  const poc = definePoc({
    id: 'csv',
    version: '1',
    input: (raw) => {
      seen = raw
      return raw
    },
    checks: { any: () => ({ passed: true }) },
    score: { quality: 1 },
  })
  const read = (text) => {
    seen = undefined
    const facts = { uniqueness: { duplicate: false }, owner: '0x00' }
    // As the host hands it over: its decoder takes one byte order mark.
    const own = text.replace(/^\ufeff/, '')
    return poc.evaluate({ file: { mediaType: 'text/csv', text: own }, facts }).refusal?.code
  }
  for (const { name, text, header, rows } of accepted) {
    // A second mark would be taken by the reader itself; what is compared is the reader and not the host.
    if (text.startsWith('\ufeff\ufeff')) continue
    const refusal = read(text)
    const expected = rows.map((row) =>
      Object.fromEntries(header.map((column, index) => [column, row[index]])),
    )
    count('csv', refusal === undefined && same(seen, expected), name)
  }
  for (const { name, text } of refused) count('csv', read(text) === 'MALFORMED_EXPORT', name)
}

/** Every positive fixture has a fingerprint of what is signed, and none of them is another's. */
function oneFingerprint(count, cases) {
  const key = new Uint8Array(32).fill(1)
  const seen = new Map()
  for (const [kind, { source, positive }] of Object.entries(cases)) {
    for (const [index, bytes] of positive.entries()) {
      const own = { key, mediaType: 'application/x', bytes }
      const print = contributionFingerprint({ ...own, sources: [source], owner, at })
      const name = `${kind} ${index}`
      count('signed fingerprint', print !== contentFingerprint(own), name)
      count(
        'signed fingerprint',
        print === contributionFingerprint({ ...own, mediaType: 'text/plain', sources: [source], owner, at }),
        `${name} under another type`,
      )
      seen.set(name, print)
    }
  }
  count('signed fingerprint', seen.size > 0, 'there are some')
}

/** A copy in other clothes has nothing new: items of what a proof reads, and both indexes. */
function dressedCopies(count) {
  const key = new Uint8Array(32).fill(1)
  const rows = Array.from({ length: 50 }, (_, index) => ({
    day: `2026-01-${index}`,
    steps: 1000 + index * 371,
  }))
  const near = createNearDuplicateIndex()
  const index = createRowIndex({ key })
  near.add(contentSketch({ key, ...itemsOf(rows) }))
  index.add(itemsOf(rows))
  const json = (value) => ({
    mediaType: 'application/json',
    bytes: new TextEncoder().encode(JSON.stringify(value)),
  })
  for (const [name, content] of [
    ['as they are', itemsOf(rows)],
    ['in a file', json({ rows })],
    ['one level deeper', json({ list: rows.map((own) => ({ own })) })],
    ['with names in capitals', json(rows.map(({ day, steps }) => ({ DAY: day, Steps: steps })))],
    ['with a time', json(rows.map(({ day, steps }) => ({ day: `${day}.`, steps: String(steps) })))],
    ['nothing', itemsOf([])],
  ]) {
    count('dressed copies', novelty({ key, content, near, rows: index }) === 0, name)
  }
}

/** Copies of 90 % among 500 contributions, and a farm of 100 of them: a simulation with made-up rows. */
function nearCopies(count) {
  const key = new Uint8Array(32).fill(1)
  const rows = (seed, size) =>
    Array.from(
      { length: size },
      (_, index) => `${seed}-${index},${Math.imul(seed * 977 + index, 2654435761) >>> 10}`,
    )
  const sketch = (list, own = key) =>
    contentSketch({
      key: own,
      mediaType: 'text/csv',
      bytes: new TextEncoder().encode(['id,value', ...list].join('\n')),
    })
  const index = createNearDuplicateIndex()
  for (let seed = 1; seed <= 500; seed++) index.add(sketch(rows(seed, 100)))
  const stranger = new Uint8Array(32).fill(2)
  const kept = encodeIndex({ kind: 'near', index, key })
  const again = decodeNearDuplicateIndex({ ...kept, key })
  count(
    'index file',
    encodeIndex({ kind: 'near', index: again, key }).digest === kept.digest,
    'written, read, written',
  )
  for (let seed = 1; seed <= 500; seed += 5) {
    const copy = [...rows(seed, 90), ...rows(seed + 9000, 10)]
    const found = index.nearest(sketch(copy))
    count('index file', same(again.nearest(sketch(copy)) ?? {}, found ?? {}), `answer ${seed}`)
    count('near copies', found?.entry === seed - 1 && 1 - found.contained < 0.35, `copy ${seed}`)
    count(
      'without the key',
      (index.nearest(sketch(rows(seed, 100), stranger))?.similarity ?? 0) < 0.25,
      `file ${seed}`,
    )
  }
  const farm = createNearDuplicateIndex()
  let before = { ofIdentity: 0, ofCluster: { count: 0, earned: 0 } }
  let earned = 0
  for (let copy = 0; copy < 100; copy++) {
    const own = sketch(copy === 0 ? rows(1, 100) : [...rows(1, 90), ...rows(copy + 9000, 10)])
    const novelty = 1 - (farm.nearest(own)?.contained ?? 0)
    farm.add(own)
    // Every copy comes from a wallet of its own.
    const valued = marginalValue({
      rule: DEFAULT_FARMING_RULE,
      before: { ...before, ofIdentity: 0 },
      novelty,
      score: 1,
    })
    before = valued.after
    earned += valued.value
  }
  count('farm', earned >= 1 && earned < 1.2, `100 near copies earn ${earned.toFixed(3)} times one`)
}
