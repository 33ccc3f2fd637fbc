/**
 * Checks the pools of the settings against the chain before anything of them is served.
 * @module
 */
import { ContractsError, parseAccessRules } from '@sealpool/contracts'
import { type Address, digestOf, type JsonValue, sha256Digest } from '@sealpool/crypto'
import { type PoolPolicy, parsePoolPolicy } from '@sealpool/privacy'
import { schemaId } from '@sealpool/refine'
import type { ChainPort } from '../chain/chain-port.js'
import type { PoolFacts } from '../config/facts-settings.js'
import type { PoolConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import { planFacts } from '../facts/facts-plan.js'
import type { PlannablePool, ServedPool } from '../ingest/served-pool.js'
import { acceptedRefiner } from './accepted-refiner.js'
import { serveEarlier } from './serve-earlier.js'

/**
 * Reads and checks the pools.
 * @returns served pools by address
 * @throws NodeError `CONFIG_POOL_MISMATCH` when policy or code are not those of the chain, or do not fit each other
 */
export async function servePools(
  chain: Pick<ChainPort, 'chainId' | 'pool'>,
  pools: readonly PoolConfig[],
): Promise<ReadonlyMap<Address, ServedPool>> {
  const served = await Promise.all(pools.map((pool) => servePool(chain, pool)))
  const names = new Set(served.map(({ name }) => name))
  if (names.size !== served.length) {
    throw mismatch('pools', 'two pools have one name; SQL could not tell them apart')
  }
  return new Map(served.map((pool) => [pool.address, pool]))
}

async function servePool(
  chain: Pick<ChainPort, 'chainId' | 'pool'>,
  config: PoolConfig,
): Promise<ServedPool> {
  const { address } = config
  const onChain = await chain.pool(address)
  const policy = parsePoolPolicy(config.policy)
  const policyDigest = digestOf(config.policy as JsonValue)
  const same = (name: string, ...digests: readonly string[]): void => {
    if (new Set(digests).size !== 1) {
      throw mismatch(
        `pools ${address} ${name}`,
        'what the settings give is not what the pool accepted; use the accepted file',
      )
    }
  }
  same('policy', policyDigest, onChain.policyDigest)
  same('poc', sha256Digest(utf8(config.poc.code)), config.poc.digest, policy.code.poc, onChain.pocDigest)
  const refiner = acceptedRefiner(
    address,
    config.refiner,
    [policy.code.refiner, onChain.refinerDigest],
    'pools',
  )
  const { schema } = refiner
  for (const table of policy.tables) {
    const refined = schema.tables[table.name]
    if (refined === undefined || !table.columns.every(({ name }) => Object.hasOwn(refined.columns, name))) {
      throw mismatch(
        `pools ${address} tables ${table.name}`,
        'the policy lists a table or column that the refiner does not make',
      )
    }
  }
  requireAccessRules(address, policy)
  requireRoomForFacts({ address, name: policy.name, policy, policyDigest }, config.facts)
  return {
    address,
    name: policy.name,
    policy,
    policyDigest,
    accountRule: config.accountRule,
    farming: config.farming,
    facts: config.facts,
    auditShare: config.auditShare,
    verification: config.verification,
    retention: config.retention,
    validators: config.validators,
    keep: config.keep,
    consents: config.consents,
    rescoring: config.rescoring && {
      earlier: serveEarlier(address, policy, {
        rescoring: config.rescoring,
        policy: config.policy,
        place: 'pools',
      }),
      share: config.rescoring.share,
      rule: config.rescoring.rule,
    },
    poc: { code: config.poc.code, digest: config.poc.digest },
    refiner,
    schemaId: schemaId(schema),
    chainId: chain.chainId,
  }
}

/**
 * Rules that this release does not know would be kept by nobody.
 * @throws NodeError `CONFIG_POOL_MISMATCH`
 */
export function requireAccessRules(address: Address, { access }: PoolPolicy): void {
  if (access === undefined) return
  try {
    parseAccessRules(access)
  } catch (cause) {
    if (!(cause instanceof ContractsError)) throw cause
    throw new NodeError(
      'CONFIG_POOL_MISMATCH',
      `pools ${address} ${cause.place}`,
      'the policy has access rules that this release does not understand; use a newer one, or vote on other rules',
      { cause },
    )
  }
}

function requireRoomForFacts(pool: PlannablePool, facts: PoolFacts | null): void {
  if (facts === null) return
  const plan = planFacts(pool, facts)
  if (plan === null || (plan.keywords === null) !== (facts.keywords === null)) {
    throw mismatch(
      `pools ${pool.address} facts`,
      'they cost more than the policy gives one job, their keywords are of no text column of it, or so little is left for each count or word that no noise is drawn by it',
    )
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function mismatch(place: string, message: string): NodeError {
  return new NodeError('CONFIG_POOL_MISMATCH', place, message)
}
