// Checks the files with which the node is deployed as a container: `node packages/enclave-node/scripts/check-deployment.mjs
// [--folder DIR] [--deploy]`. Without `--deploy` what the operator or the platform's tool has yet to fill in is only told.
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { judgeDeployment } from './deployment-rules.mjs'

const { values } = parseArgs({
  options: { folder: { type: 'string' }, deploy: { type: 'boolean', default: false } },
})
const folder = resolve(values.folder ?? join(dirname(fileURLToPath(import.meta.url)), '../image'))
const read = (name) => parse(readFileSync(join(folder, name), 'utf8'), { maxAliasCount: 0 })

const { problems, open } = judgeDeployment(read)
console.log(JSON.stringify({ problems, open }, null, 2))
process.exitCode = problems.length > 0 || (values.deploy && open.length > 0) ? 1 : 0
