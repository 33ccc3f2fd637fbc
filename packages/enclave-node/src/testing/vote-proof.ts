/**
 * A pool of a world votes for another proof, so that what the first one judged is judged again.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { poolAbi } from '@sealpool/contracts'
import { digestOf, digestToHex, type JsonValue } from '@sealpool/crypto'
import { bundlePoc } from '@sealpool/poc/bundle'
import { encodeFunctionData } from 'viem'
import { readContract } from 'viem/actions'
import type { PoolWorld } from './pool-world.js'

/**
 * Has the pool `pay` vote for a proof that gives a whole score where the first one gave half of one.
 * @returns the proof, the pool's rules on the chain, and settings of a node under them, which pays the difference
 */
export async function voteProof(world: PoolWorld) {
  const { folder, client } = world
  const { pay } = world.pools
  const entry = fileURLToPath(new URL('./fixture/round-pay-proof.ts', import.meta.url))
  const poc = await bundlePoc({ entry })
  const before = pay.policy as { readonly code: Record<string, JsonValue> }
  const policy = { ...before, code: { ...before.code, poc: poc.digest } } as JsonValue
  const rules = await readContract(client, { address: pay.pool, abi: poolAbi, functionName: 'rules' })
  const changed = {
    ...rules,
    policyDigest: digestToHex(digestOf(policy)),
    pocDigest: digestToHex(poc.digest),
  }
  const data = encodeFunctionData({ abi: poolAbi, functionName: 'setRules', args: [changed] })
  await world.decide(pay, [{ target: pay.pool, data }], 'another proof')

  await writeFile(join(folder, 'next-policy.json'), JSON.stringify(policy))
  await writeFile(join(folder, 'next-poc.json'), JSON.stringify(poc))
  const settings = JSON.parse(await readFile(world.config, 'utf8')) as { pools: { address: string }[] }
  const next = {
    policy: 'next-policy.json',
    poc: 'next-poc.json',
    rescoring: { earlier: ['pay-policy.json'], rule: 'difference' },
  }
  const config = join(folder, 'next.json')
  const pools = settings.pools.map((one) => (one.address === pay.pool ? { ...one, ...next } : one))
  await writeFile(config, JSON.stringify({ ...settings, pools }))
  return { poc, rules, config }
}
