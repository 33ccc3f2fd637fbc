/**
 * A pool's rules, key and restrictions, all of one block.
 * @module
 */
import { type Deployment, poolAbi, poolFactoryAbi } from '@sealpool/contracts'
import { type Address, type Digest, digestToHex, hexToDigest } from '@sealpool/crypto'
import { type Client, encodeAbiParameters, keccak256, zeroAddress, zeroHash } from 'viem'
import { getContractEvents, readContract } from 'viem/actions'
import { NodeError } from '../errors.js'
import type { ChainPool } from './chain-port.js'

/**
 * Reads a pool.
 * @param query `blockNumber`: the newest when absent
 * @throws NodeError `CHAIN_MISMATCH` when the deployment's factory did not found it; `CHAIN_CALL_FAILED` when the endpoint
 * does not show every restriction that the pool counts
 */
export async function readPool(
  client: Client,
  query: { readonly address: Address; readonly deployment: Deployment; readonly blockNumber?: bigint },
): Promise<ChainPool> {
  const { address, deployment } = query
  const at = query.blockNumber === undefined ? {} : { blockNumber: query.blockNumber }
  const pool = { address, abi: poolAbi, ...at } as const
  const [index, name, rules, key, pausedUntil] = await Promise.all([
    readContract(client, {
      address: deployment.poolFactory,
      abi: poolFactoryAbi,
      functionName: 'indexOf',
      args: [address],
      ...at,
    }),
    readContract(client, { ...pool, functionName: 'name' }),
    readContract(client, { ...pool, functionName: 'rules' }),
    readContract(client, { ...pool, functionName: 'keyEpoch' }),
    readContract(client, { ...pool, functionName: 'pausedUntil' }),
  ])
  if (index === 0) {
    throw new NodeError(
      'CHAIN_MISMATCH',
      `pool ${address}`,
      'the factory of this deployment did not found it',
    )
  }
  return {
    name,
    policyDigest: hexToDigest(rules.policyDigest),
    pocDigest: hexToDigest(rules.pocDigest),
    refinerDigest: hexToDigest(rules.refinerDigest),
    keyEpoch:
      key.node === zeroAddress
        ? null
        : {
            epoch: key.epoch,
            policyDigest: hexToDigest(key.policyDigest),
            keyDigest: hexToDigest(key.keyDigest),
            node: key.node.toLowerCase() as Address,
          },
    restrictions: await readRestrictions(client, query, hexToDigest(rules.policyDigest)),
    pausedUntil,
  }
}

/** The pool keeps a hash chain of the vote's restrictions; their digests stand in events, which must give that chain. */
async function readRestrictions(
  client: Client,
  query: { readonly address: Address; readonly deployment: Deployment; readonly blockNumber?: bigint },
  policy: Digest,
): Promise<readonly Digest[]> {
  const { address, blockNumber } = query
  const policyDigest = digestToHex(policy)
  const { head, count } = await readContract(client, {
    address,
    abi: poolAbi,
    functionName: 'restrictionsOf',
    args: [policyDigest],
    ...(blockNumber === undefined ? {} : { blockNumber }),
  })
  const passing = await readContract(client, {
    address,
    abi: poolAbi,
    functionName: 'passingRestrictionsOf',
    args: [policyDigest],
    ...(blockNumber === undefined ? {} : { blockNumber }),
  })
  // The guardian's, which hold for a while: the pool itself tells which ones do now.
  const now = passing.restrictions.map(hexToDigest)
  if (count === 0) return now
  const events = await getContractEvents(client, {
    address,
    abi: poolAbi,
    eventName: 'Narrowed',
    args: { policyDigest },
    fromBlock: query.deployment.blockNumber,
    ...(blockNumber === undefined ? {} : { toBlock: blockNumber }),
    strict: true,
  })
  const restrictions = events.map(({ args }) => args.restriction)
  const shown = restrictions.reduce(
    (before, restriction) =>
      keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes32' }], [before, restriction])),
    zeroHash as `0x${string}`,
  )
  if (shown !== head) {
    throw new NodeError(
      'CHAIN_CALL_FAILED',
      `pool ${address}`,
      'the endpoint does not show every restriction of the policy; ask one that keeps all events',
    )
  }
  return [...restrictions.map(hexToDigest), ...now]
}
