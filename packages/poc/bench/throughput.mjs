// How many small signed contributions a second are judged, in this process and in a child:
// `npm run build && node packages/poc/bench/throughput.mjs [count]`
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ed25519 } from '@noble/curves/ed25519.js'
import { canonicalBytes, encodeBase64Url } from '@sealpool/crypto'
import { runPoc } from '@sealpool/poc'
import { bundlePoc } from '@sealpool/poc/bundle'
import { createProcessRuntime } from '@sealpool/sandbox/process'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'

const count = Number(process.argv[2] ?? 1068)
const secret = new Uint8Array(32).fill(7)
const owner = '0x00112233445566778899aabbccddeeff00112233'
const folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'run-'))

// A builder's module that comes to about 20 kB with a table of categories in it.
const categories = Array.from({ length: 700 }, (_, index) => `occupation-${String(index).padStart(5, '0')}`)
writeFileSync(
  join(folder, 'proof.ts'),
  `import { definePoc, refuse } from '@sealpool/poc/define'
const categories = new Set(${JSON.stringify(categories)})
export default definePoc({
  id: 'bench', version: '1', issuers: [{ name: 'Bureau', ed25519PublicKey: '${encodeBase64Url(ed25519.getPublicKey(secret))}' }],
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
})`,
)
const poc = await bundlePoc({ entry: join(folder, 'proof.ts') })
rmSync(folder, { recursive: true })

const exports = Array.from({ length: count }, (_, index) => {
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

for (const make of [createQuickJsRuntime, () => createProcessRuntime({ isolation: 'best' })]) {
  const runtime = await make()
  const started = performance.now()
  let valid = 0
  for (const [index, bytes] of exports.entries()) {
    const verdict = await runPoc({
      poc,
      runtime,
      limits: { memoryBytes: 2 ** 26, timeMs: 2_000, outputBytes: 65_536 },
      contribution: { id: String(index), pool: owner, owner, mediaType: 'application/json', bytes },
      facts: { uniqueness: { duplicate: false } },
    })
    if (verdict.valid && verdict.score === 1) valid++
  }
  const seconds = (performance.now() - started) / 1000
  console.log(
    `${runtime.isolation}: ${valid} of ${count} valid with a bundle of ${poc.code.length} bytes in ${seconds.toFixed(2)} s, ${(count / seconds).toFixed(0)} a second`,
  )
  await runtime.close()
}
