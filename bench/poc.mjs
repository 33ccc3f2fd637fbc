// Small signed contributions judged in the sandbox, against the same function called directly.
import { runInNewContext } from 'node:vm'
import { ed25519 } from '@noble/curves/ed25519.js'
import { canonicalBytes, encodeBase64Url } from '@sealpool/crypto'
import { runPoc, verifyIssuerSignature } from '@sealpool/poc'
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
  } finally {
    for (const runtime of Object.values(runtimes)) await runtime.close()
  }
}
