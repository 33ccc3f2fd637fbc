// A process that answers one plan on a ledger and a store in files, and stops where it is told to, so that it can be killed
// there. Arguments: folder, plan file, where (`engine`, `put`, `torn`, `end`).
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { platformRandom } from '@sealpool/privacy'
import { fileStorage, openFileLedger } from '@sealpool/privacy/file-ledger'
import { answerer, openStoredAnswers } from '@sealpool/query'

const [, , folder, planFile, where] = process.argv
const plan = JSON.parse(readFileSync(planFile, 'utf8'))
const path = join(folder, 'answers.jsonl')
const stop = () => {
  process.stdout.write('here\n')
  return new Promise(() => setInterval(() => undefined, 1000))
}
const ledger = await openFileLedger({ path: join(folder, 'budget.jsonl') })
for (const { address } of plan.pools)
  await ledger.open(address, { accounting: 'basic', epsilon: 6, delta: 1e-6 })
const storage = await fileStorage(path)
const answers = await openStoredAnswers({
  ...storage,
  append: async (bytes) => {
    if (where === 'torn' && bytes.length > 200) {
      // Half of a write that the kernel took before the power went out.
      appendFileSync(path, bytes.subarray(0, bytes.length >> 1))
      await stop()
    }
    await storage.append(bytes)
  },
})
const engine = {
  dialect: 'duckdb',
  load: async () => undefined,
  close: async () => undefined,
  query: async () => {
    if (where === 'engine') await stop()
    return [{ s0: '40' }]
  },
}
const answer = answerer({ ledger, engine, answers, random: platformRandom, dataVersion: 'v1' })
const { result, charged } = await answer(plan)
if (where === 'put') await stop()
process.stdout.write(`${JSON.stringify({ rows: result.rows, charged })}\n`)
await answers.close()
await ledger.close()
