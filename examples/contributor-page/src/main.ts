/**
 * `npm start -w examples/contributor-page [-- PORT]`: the practice pool and the page in front of it.
 * @module
 */
import { startPracticePool } from '../../practice-pool/src/practice-pool.js'
import { buildPage } from './build-page.js'
import { servePage } from './serve-page.js'

const port = Number(process.argv[2] ?? 8080)
const [files, practice] = await Promise.all([buildPage(), startPracticePool()])
const served = await servePage({ files, practice, port })
console.log(`${served.url}  the page, a local chain and a SIMULATED node; stop with Ctrl+C`)

const stop = async () => {
  await served.close()
  await practice.close()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
