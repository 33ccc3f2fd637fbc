import { type Address, isAddress } from 'viem'
import * as z from 'zod'
import { ContractsError } from '../errors.js'

/** Where the shared contracts of one Sealpool deployment are. */
export interface Deployment {
  readonly chainId: number
  readonly protocolToken: Address
  readonly nodeRegistry: Address
  readonly dataRegistry: Address
  /** Contributions by Merkle batch. */
  readonly contributionBatches: Address
  readonly jobBoard: Address
  readonly permissions: Address
  /** Reviews and owners' consent. */
  readonly approvals: Address
  readonly poolFactory: Address
  /** Block of the first contract: no event is older. */
  readonly blockNumber: bigint
}

/** The contracts of one pool. */
export interface PoolContracts {
  readonly pool: Address
  readonly token: Address
  readonly governor: Address
  readonly timelock: Address
}

/** Built when it is asked for: a page that parses no deployment carries no schema library. */
function deploymentSchema() {
  const address = z.custom<Address>(
    (value) => typeof value === 'string' && isAddress(value),
    'not an address',
  )
  return z.strictObject({
    chainId: z.int().positive(),
    protocolToken: address,
    nodeRegistry: address,
    dataRegistry: address,
    contributionBatches: address,
    jobBoard: address,
    permissions: address,
    approvals: address,
    poolFactory: address,
    blockNumber: z
      .string()
      .regex(/^(0|[1-9][0-9]{0,77})$/, 'not a decimal number')
      .transform(BigInt),
  })
}

/**
 * A deployment as JSON text with the block number as a decimal string; {@link parseDeployment} reads it.
 *
 * @param deployment - the addresses to write down
 * @returns indented JSON
 */
export function formatDeployment(deployment: Deployment): string {
  return JSON.stringify({ ...deployment, blockNumber: deployment.blockNumber.toString() }, null, 2)
}

/**
 * Reads what {@link formatDeployment} wrote. It checks the form only: see `checkDeployment` for whether it is true.
 *
 * @param text - the JSON text; unknown fields are an error
 * @returns the deployment, every address well-formed
 * @throws {ContractsError} `ARGUMENT_INVALID`, naming the field.
 */
export function parseDeployment(text: string): Deployment {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new ContractsError('ARGUMENT_INVALID', 'parseDeployment', 'not JSON', { cause })
  }
  const result = deploymentSchema().safeParse(json)
  if (result.success) return result.data
  const fields = result.error.issues.map(({ path, message }) => `${path.join('.') || 'document'}: ${message}`)
  throw new ContractsError('ARGUMENT_INVALID', 'parseDeployment', fields.join('; '))
}
