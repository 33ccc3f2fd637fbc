import { appendFileSync } from 'node:fs'
import { parseDeployment } from '@sealpool/contracts'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import type { ContributionJournal } from '../contribute/contribution-journal.js'
import { fileJournal } from '../contribute/file-journal.js'
import { createPoolClient } from '../index.js'
import { fileBlobStore } from '../store/file-store.js'
import { input } from './contribution.js'
import { memoryNode } from './memory-node.js'
import { at, policy, simulatedNode } from './simulated-pool.js'

/*
 * One process that contributes and dies by SIGKILL at a named moment. Told by its environment, since it is a test's child:
 * DEPLOYMENT, POOL, RPC, KEY, FOLDER, and DIE_AT (`none` to live).
 */

const setting = (name: string) => {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is missing`)
  return value
}
const dieAt = setting('DIE_AT')
const moments: string[] = []
const moment = (name: string) => {
  moments.push(name)
  if (name === dieAt) process.kill(process.pid, 'SIGKILL')
}

const deployment = parseDeployment(setting('DEPLOYMENT'))
const pool = setting('POOL') as `0x${string}`
const account = privateKeyToAccount(setting('KEY') as `0x${string}`)
const folder = setting('FOLDER')
const files = fileJournal({ directory: `${folder}/journal` })
let writes = 0
async function writing<Answer>(write: () => Promise<Answer>): Promise<Answer> {
  writes += 1
  moment(`before journal ${writes}`)
  const answer = await write()
  moment(`after journal ${writes}`)
  return answer
}
const journal: ContributionJournal = {
  ...files,
  async setIfAbsent(key, text) {
    const first = () => files.setIfAbsent(key, text)
    return (await files.get(key)) === undefined ? writing(first) : first()
  },
  set: (key, text) => writing(() => files.set(key, text)),
}
const transport = http(setting('RPC'), {
  fetchFn: async (url, init) => {
    const sending = String(init?.body ?? '').includes('eth_sendRawTransaction')
    if (sending) moment('before transaction')
    const response = await fetch(url, init)
    if (sending) moment('after transaction')
    return response
  },
})
const client = createPoolClient({
  chain: createWalletClient({ account, chain: foundry, transport }),
  deployment,
  pool,
  policy,
  nodeUrl: 'http://node.example',
  blobStore: fileBlobStore({ directory: `${folder}/blobs` }),
  journal,
  fetch: memoryNode(simulatedNode(7, policy, { deployment, pool })).fetch,
  now: () => at,
})
const { nonce: _nonce, deadline: _deadline, ...rest } = input
const { id, resumed, prepared } = await client.contribute(
  account,
  { ...rest, deadline: BigInt(setting('DEADLINE')) },
  { key: 'export-1', onProgress: ({ step, state }) => moment(`${step} ${state}`) },
)
appendFileSync(
  `${folder}/answers`,
  `${JSON.stringify({ id: id.toString(), resumed, locator: prepared.contribution.locator, moments })}\n`,
)
