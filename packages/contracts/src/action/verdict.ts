import type { Address, Client, Hex } from 'viem'
import { dataRegistryAbi } from '../abi/DataRegistry.js'
import type { Deployment } from '../deploy/deployment.js'
import type { StatementProof, VerdictEntry } from '../statement/node-statement.js'
import { encodeCall } from './encode-call.js'
import { type Sent, send, type WriteOptions } from './transaction.js'

/** What a new vote checkpoint costs more than one that is written over: a fresh slot and the list's length. */
const CHECKPOINT_GAS = 30_000n

/**
 * Records a node's verdicts on contributions of one pool; accepted ones get points and pool tokens at once. All or
 * nothing. The statement is over the entries (see `verdictBatchContext`), its digest is the batch digest.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `pool`; `entries`, the verdicts, at least one; `statement`,
 * what a node that the pool accepts signed over them
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `VerdictAlreadyRecorded`, `ContributionUnknown`, `ContributionOfOtherPool`,
 * `ScoreInvalid`, `StatementUsed`, `StatementSignerNotActive`, `NodeNotAccepted`.
 */
export function recordVerdicts(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly pool: Address
    readonly entries: readonly VerdictEntry[]
    readonly statement: StatementProof
  },
): Promise<Sent> {
  const data = encodeCall({
    abi: dataRegistryAbi,
    functionName: 'recordVerdicts',
    args: [args.pool, args.entries, args.statement],
  })
  // Every owner's votes may need a checkpoint of their own if the second has changed since the simulation.
  const reserve = CHECKPOINT_GAS * BigInt(args.entries.length)
  const target = { to: args.deployment.dataRegistry, data, reserve }
  return send(client, 'DataRegistry.recordVerdicts', target, args)
}

/**
 * Records that a node refined a pool's contributions into tables. The statement (see `refinementContext`) carries the
 * refinement digest as its digest.
 *
 * @param client - a viem client with an account, on the deployment's chain
 * @param args - besides {@link WriteOptions}: `deployment`; `pool`; `schemaId`, of the tables; `rowsRoot`, the root over
 * their rows; `statement`, what a node that the pool accepts signed over both
 * @returns the mined transaction: its hash and receipt
 * @throws {ContractsError} `REVERTED`: `StatementUsed`, `StatementSignerNotActive`, `PoolUnknown`, `NodeNotAccepted`.
 */
export function recordRefinement(
  client: Client,
  args: WriteOptions & {
    readonly deployment: Deployment
    readonly pool: Address
    readonly schemaId: Hex
    readonly rowsRoot: Hex
    readonly statement: StatementProof
  },
): Promise<Sent> {
  const data = encodeCall({
    abi: dataRegistryAbi,
    functionName: 'recordRefinement',
    args: [args.pool, args.schemaId, args.rowsRoot, args.statement],
  })
  return send(client, 'DataRegistry.recordRefinement', { to: args.deployment.dataRegistry, data }, args)
}
