/**
 * A pool whose own approved proof of contribution is hostile code: each contribution to it names one attempt to get out of
 * the sandbox. The attempts are those of the sandbox's own suite; here they run where such code would run, in the node.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { foundPool } from '@sealpool/contracts'
import { type Address, digestOf, digestToHex, type JsonObject, sha256Digest } from '@sealpool/crypto'
import { bundlePoc } from '@sealpool/poc/bundle'
import { bundleRefiner } from '@sealpool/refine/bundle'
import type { PoolWorld, WorldPool } from '../packages/enclave-node/src/testing/pool-world.js'
import { type EscapeAttempt, escapeAttempts } from '../packages/sandbox/src/testing/escape-attempts.js'

/** What a run says of an attempt that got hold of something. */
export const escapedRefusal = 'ESCAPED'
/** What it says of one that gave exactly what it may give. */
export const harmlessRefusal = 'HARMLESS'

/** More attempts, on what a whole machine has. */
const onTheMachine: readonly EscapeAttempt[] = [
  ['a loop without an end', '(() => { for (;;) {} })()'],
  [
    'all memory there is',
    '(() => { const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1)) })()',
  ],
  ['ten gigabytes of answer', '"x".repeat(1 << 20).repeat(10000)'],
  ['a fork', 'process.binding("spawn_sync").spawn({ file: "/bin/sh", args: ["sh"] })'],
  ['a child process', 'require("node:child_process").execSync("id")'],
  ['a file for writing', 'require("node:fs").writeFileSync("/tmp/escaped", "x".repeat(1 << 20))'],
  ['the environment', 'process.env.SEALPOOL_TRANSACTION_KEY'],
  ['the command line', 'process.argv.join(" ")'],
  ['the memory of the parent', 'require("node:fs").readFileSync("/proc/self/mem")'],
  ['a socket', 'require("node:net").connect(80, "127.0.0.1")'],
  ['a name server', 'require("node:dns").lookup("example.org", () => {})'],
].map(([name, expression]) => ({
  name: name as string,
  code: `globalThis.sealpool = { go: (input) => ${expression} }`,
  harmless: 'fails' as const,
}))

/** Every attempt by name. */
export const attempts: readonly EscapeAttempt[] = [...escapeAttempts, ...onTheMachine]

const prefix = 'globalThis.sealpool = { go: (input) => '

/** The attempts as an expression for {@link hostileProof}. */
function attemptsExpression(made: readonly EscapeAttempt[]): string {
  const cases = made.map(({ name, code, harmless }) => {
    if (!code.startsWith(prefix) || !code.endsWith(' }')) throw new Error(`attempt ${name}: unknown form`)
    const expected = harmless === 'fails' ? 'undefined' : JSON.stringify(JSON.stringify(harmless.returns))
    return `[${JSON.stringify(name)}, [(input) => ${code.slice(prefix.length, -2)}, ${expected}]]`
  })
  return `new Map([\n${cases.join(',\n')}\n])`
}

/** The hostile proof as the pool's founders would accept it. @param made the attempts that it knows */
export async function hostileProof(made: readonly EscapeAttempt[] = attempts) {
  const bundled = await bundlePoc({
    entry: fileURLToPath(new URL('./hostile-proof.ts', import.meta.url)),
  })
  const code = bundled.code.replaceAll('SEALPOOL_ESCAPE_ATTEMPTS', () => `(${attemptsExpression(made)})`)
  return { ...bundled, code, digest: sha256Digest(new TextEncoder().encode(code)) }
}

/**
 * Founds the pool and adds it to the node's settings.
 * @returns the pool, to contribute to as to those of the world
 */
export async function foundHostilePool(world: PoolWorld): Promise<WorldPool> {
  const people = new URL('../packages/enclave-node/src/testing/fixture/people-refiner.ts', import.meta.url)
  const [poc, refiner] = await Promise.all([hostileProof(), bundleRefiner({ entry: fileURLToPath(people) })])
  const settings = JSON.parse(await readFile(world.config, 'utf8')) as {
    pools: Record<string, string>[]
  }
  const model: JsonObject = JSON.parse(await readFile(join(world.folder, 'people-policy.json'), 'utf8'))
  const policy: JsonObject = {
    ...model,
    name: 'hostile',
    code: { poc: poc.digest, refiner: refiner.digest, computations: [] },
    joins: { allowed: false, with: [] },
  }
  const { pool, token, governor, timelock } = await foundPool(world.client, {
    deployment: world.deployment,
    name: 'hostile',
    symbol: 'HOSTILE',
    policyDigest: digestToHex(digestOf(policy)),
    pocDigest: digestToHex(poc.digest),
    refinerDigest: digestToHex(refiner.digest),
    guardian: world.client.account.address,
    governance: { votingDelay: 1, votingPeriod: 60, timelockDelay: 1 },
  })
  const address = pool.toLowerCase() as Address
  for (const [part, value] of Object.entries({ policy, poc, refiner })) {
    await writeFile(join(world.folder, `hostile-${part}.json`), JSON.stringify(value))
  }
  settings.pools.push({
    address,
    policy: 'hostile-policy.json',
    poc: 'hostile-poc.json',
    refiner: 'hostile-refiner.json',
  })
  await writeFile(world.config, JSON.stringify(settings))
  // The world's own names are those of its two pools; nobody asks for the name of this one.
  return { pool: address, token, governor, timelock, name: 'people', policy, mediaType: 'application/json' }
}
