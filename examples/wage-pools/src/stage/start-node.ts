import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { measurementDigest, verifyNodeEvidence } from '@sealpool/attest'
import { nodeApi } from '@sealpool/client'
import {
  getPool,
  type NodeRegistration,
  registerNode,
  setMeasurement,
  setVerifiers,
  signNodeApproval,
} from '@sealpool/contracts'
import { digestToHex, encodeHex, keySetDigest, platformRandom } from '@sealpool/crypto'
import type { Progress } from '../progress.js'
import { demoAccount } from '../workers.js'
import { type Founded, nodeCommand } from './found-pools.js'

/** The node program as a process. */
export interface DemoNode {
  /** Its address, once it answers. */
  readonly url: Promise<string>
  readonly stop: () => Promise<void>
}

/** Starts the node as an operating-system process of its own; it can be stopped from the first moment on. */
export function launchNode(options: {
  readonly founded: Founded
  readonly out: string
  readonly blobs: string
  /** Of a PostgreSQL server; undefined: the state is embedded. */
  readonly databaseUrl: string | undefined
}): DemoNode {
  const { founded, out, blobs, databaseUrl } = options
  const config = join(out, 'node-config.json')
  const { pay, people } = founded.pools
  const settings = {
    format: 'sealpool/node-config',
    version: 1,
    dataDirectory: founded.nodeDirectory,
    chain: {
      rpcUrl: founded.devnet.rpcUrl,
      deployment: { ...founded.deployment, blockNumber: founded.deployment.blockNumber.toString() },
      confirmations: 0,
      pollMs: 100,
    },
    api: { port: 0 },
    evidence: { provider: 'simulator' },
    keyRelease: { adapter: 'development' },
    blobStore: { kind: 'files', directory: blobs },
    ...(databaseUrl === undefined
      ? {}
      : { state: { kind: 'postgresql', group: 'demo', tablesDirectory: join(out, 'tables') } }),
    sandbox: { isolation: 'best' },
    pools: [pay, people].map((pool) => ({
      address: pool.contracts.pool,
      policy: pool.policyJson,
      poc: pool.poc,
      refiner: pool.refiner,
    })),
  }
  writeFileSync(config, `${JSON.stringify(settings, null, 2)}\n`)
  const child = spawn(process.execPath, [nodeCommand, 'start', '--stop-with-stdin', '--config', config], {
    // The node's input ends with this process, and the node with its input.
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      SEALPOOL_TRANSACTION_KEY: founded.nodeAccountKey,
      ...(databaseUrl === undefined ? {} : { SEALPOOL_DATABASE_URL: databaseUrl }),
    },
  })
  const log = createWriteStream(join(out, 'node.log'), { flags: 'a' })
  child.stderr.pipe(log, { end: false })
  const url = readyUrl(child, log)
  // Whoever stops the node before it is ready does not wait for its address.
  url.catch(() => undefined)
  return { url, stop: () => stop(child) }
}

function readyUrl(
  child: ChildProcess & { readonly stdout: NodeJS.ReadableStream },
  log: NodeJS.WritableStream,
) {
  return new Promise<string>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`the node ended with ${code}; see node.log`)))
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.write(`${line}\n`)
      try {
        const { url } = JSON.parse(line) as { url?: unknown }
        if (typeof url === 'string') resolve(url)
      } catch {
        // A log line, not the ready line.
      }
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}

/**
 * Has three independent verifiers check the node's evidence and registers it on chain; two of three must agree. Waits
 * until the node has published its pool keys.
 */
export async function registerDemoNode(options: {
  readonly founded: Founded
  readonly nodeUrl: string
  readonly progress: Progress
}): Promise<void> {
  const { founded, nodeUrl, progress } = options
  const { founder, deployment } = founded
  const verifiers = [demoAccount(1), demoAccount(2), demoAccount(3)].sort((a, b) =>
    a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1,
  )
  await setVerifiers(founder, {
    deployment,
    verifiers: verifiers.map(({ address }) => address),
    threshold: 2,
  })
  await setMeasurement(founder, { deployment, measurement: founded.measurement, allowed: true })

  const api = nodeApi({ url: nodeUrl })
  const { timestamp } = await founder.getBlock()
  let registration: NodeRegistration | undefined
  const signatures: `0x${string}`[] = []
  for (const verifier of verifiers.slice(0, 2)) {
    const nonce = encodeHex(platformRandom(32))
    const answer = verifyNodeEvidence({
      evidence: await api.evidence(nonce),
      policy: founded.attestation,
      at: new Date(),
      nonce,
    })
    const { claims } = answer.verdict
    if (!answer.ok || !('mrTd' in claims)) {
      const failed = answer.checks
        .filter(({ result }) => result !== 'pass')
        .map(({ title, detail }) => `${title}: ${detail}`)
      throw new Error(`a verifier refuses the node: ${failed.join('; ')}`)
    }
    // Both verifiers sign one registration, over the first quote; the second quote showed that the keys are the same.
    registration ??= {
      statementKey: answer.keySet.statement.address,
      keySetDigest: digestToHex(keySetDigest(answer.keySet)),
      quoteDigest: digestToHex(answer.quoteDigest),
      measurement: measurementDigest(claims),
      expiresAt: timestamp + 30n * 86_400n,
    }
    if (registration.keySetDigest !== digestToHex(keySetDigest(answer.keySet))) {
      throw new Error('the node showed two verifiers two key sets')
    }
    signatures.push(await signNodeApproval({ account: verifier, deployment, registration }))
    progress.say(
      `verifier ${verifier.address.slice(0, 10)}… says yes: ${answer.checks.length} checks passed, TCB ${answer.verdict.tcbStatus}${answer.verdict.simulated ? ', SIMULATED' : ''}`,
    )
  }
  if (registration === undefined) throw new Error('no verifier checked the node')
  await registerNode(founder, { deployment, registration, signatures })
  for (const pool of [founded.pools.pay, founded.pools.people]) {
    await until(`the key of pool ${pool.name}`, async () => {
      const { keyEpoch } = await getPool(founder, { pool: pool.contracts.pool, deployment })
      return keyEpoch !== null
    })
  }
  progress.say(
    `node ${registration.statementKey} registered by 2 of 3 verifiers; pool keys on chain (SIMULATED)`,
  )
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => Promise<boolean>, seconds = 60): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
