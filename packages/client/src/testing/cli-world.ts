import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeReportData } from '@sealpool/attest'
import { createSimulator, simulatedMrTd } from '@sealpool/attest/simulator'
import { formatDeployment, transferToken } from '@sealpool/contracts'
import {
  digestOf,
  encodeBase64Url,
  type Hex,
  type JsonObject,
  asJson as jsonForm,
  keySetDigest,
  platformRandom,
} from '@sealpool/crypto'
import { openCall, sealedAnswerType, sealedCallPath } from '../access/sealed-call.js'
import { runCli } from '../cli/run.js'
import { localServers } from '../store/testing/local-server.js'
import { devnetPool } from './devnet-pool.js'
import { memoryNode } from './memory-node.js'
import { policyWith, trust } from './simulated-pool.js'

/** What a stranger's command meets: files, a settings file, a chain, a node over HTTP, the real clock. */
export type CliWorld = Awaited<ReturnType<typeof cliWorld>>

/** Sets it up. The chain's account 2 contributes, account 3 has protocol tokens to pay jobs with. */
export async function cliWorld() {
  const servers = localServers()
  const folder = await mkdtemp(join(tmpdir(), 'sealpool-cli-'))
  const at = (name: string) => join(folder, name)
  // Of today: the command has no clock but the machine's.
  const simulator = createSimulator({ random: platformRandom, at: new Date() })
  const policy = policyWith({ ...trust, roots: [simulator.rootDigest] })
  const pool = await devnetPool(policy)
  const keyOf = (index: number) => pool.devnet.accounts[index]?.privateKey ?? '0x'
  const served = memoryNode(pool.node)
  const evidence = (nonce: Hex): JsonObject => ({
    ...pool.node.evidence(nonce),
    quote: encodeBase64Url(
      simulator.quote({ reportData: nodeReportData(pool.node.keySet, nonce), mrTd: simulatedMrTd }),
    ),
    collateral: jsonForm(simulator.collateral(new Date())),
  })
  served.behaviour.evidence = evidence
  const explanation = { steps: ['noise'] }
  served.routes['/v1/plan'] = () => ({
    ok: true,
    simulated: true,
    explanation,
    planDigest: digestOf(explanation),
  })
  const hpke = { keySet: keySetDigest(pool.node.keySet), privateKey: pool.node.keys.hpke.privateKey }
  const node = await servers.serve(async (request, response) => {
    const { method = 'GET', url = '' } = request
    if (url !== sealedCallPath) {
      const answer = await served.fetch(`http://node${url}`, { method })
      response.writeHead(answer.status).end(await answer.text())
      return
    }
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const sealed = new Uint8Array(Buffer.concat(parts))
    const { call, sealAnswer } = await openCall({ ...hpke, sealed, random: platformRandom })
    const answer = await served.fetch(`http://node${call.path}`, {
      method: call.method,
      ...(call.body === null ? {} : { body: JSON.stringify(call.body) }),
    })
    const { status } = answer
    const body = await answer.text()
    response.writeHead(200, { 'content-type': sealedAnswerType })
    response.end(await sealAnswer({ status, contentType: 'application/json', encoding: 'text', body }))
  })
  await writeFile(at('deployment.json'), formatDeployment(pool.deployment))
  await writeFile(at('policy.json'), JSON.stringify(policy))
  await writeFile(at('schema.json'), '{"tables":[]}')
  await writeFile(at('consent.txt'), 'I agree.')
  await writeFile(at('wages.csv'), 'wage;union\r\n12.50;yes\r\n')
  await writeFile(at('mean.sql'), 'SELECT avg(wage) FROM pay.workers')
  for (const index of [2, 3]) await writeFile(at(`key-${index}`), `${keyOf(index)}\n`, { mode: 0o600 })
  const config = at('sealpool.json')
  await writeFile(
    config,
    JSON.stringify({
      deployment: 'deployment.json',
      policy: 'policy.json',
      pool: pool.contracts.pool,
      rpc: pool.devnet.rpcUrl,
      node,
      store: 'blobs',
      journal: 'journal',
      // Nothing is mined on top by itself.
      finality: '0',
    }),
  )
  await transferToken(pool.walletOf(0), {
    token: pool.deployment.protocolToken,
    to: pool.accountOf(3).address,
    amount: 100n,
  })

  /** Runs a command; fails when a private key stands in what it printed. */
  async function sealpool(
    args: readonly string[],
    io: { readonly env?: Record<string, string>; readonly stdin?: string } = {},
  ) {
    let out = ''
    let err = ''
    const code = await runCli(args, {
      out: (text) => {
        out += text
      },
      err: (text) => {
        err += text
      },
      env: io.env ?? {},
      stdin: async () => io.stdin ?? '',
    })
    for (const index of [1, 2, 3]) {
      if (`${out}${err}`.includes(keyOf(index).slice(2))) throw new Error('a private key was printed')
    }
    return { code, out, err }
  }
  /** A command on the pool, as account `index`, read as JSON. */
  async function asJson(index: number | undefined, ...args: string[]) {
    const key = index === undefined ? [] : ['--key-file', at(`key-${index}`)]
    const { code, out, err } = await sealpool([...args, '--config', config, ...key, '--json'])
    return { code, json: JSON.parse(out), err }
  }
  const contribution = () => [
    'contribute',
    at('wages.csv'),
    '--type',
    'text/csv',
    '--schema',
    at('schema.json'),
    '--consent',
    at('consent.txt'),
  ]
  const close = async () => {
    await servers.close()
    await pool.devnet.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return {
    pool,
    policy,
    evidence,
    served,
    folder,
    config,
    at,
    keyOf,
    sealpool,
    asJson,
    contribution,
    close,
  }
}
