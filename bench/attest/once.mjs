// Verifies once in a process of its own and prints the milliseconds from before the import to after the verdict, and the
// warm median with a second argument: `node once.mjs <verifier> <question.json> [warm]`.
import { readFileSync } from 'node:fs'
import { verifiers } from './verifiers.mjs'

const [name, file, warm] = process.argv.slice(2)
const question = JSON.parse(readFileSync(file, 'utf8'))
const all = verifiers({
  quote: new Uint8Array(Buffer.from(question.quote, 'base64')),
  collateral: question.collateral,
  at: new Date(question.at),
})
const started = performance.now()
const verify = await all[name]()
const status = verify()
const cold = performance.now() - started
const times = []
for (let i = 0; warm !== undefined && i < 60; i++) {
  const from = performance.now()
  verify()
  times.push(performance.now() - from)
}
times.sort((a, b) => a - b)
console.log(JSON.stringify({ status, cold, warm: times[times.length >> 1] ?? null }))
