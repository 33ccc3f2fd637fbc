import type { Address } from 'viem'

/** Where the shared contracts of one Sealpool deployment are. Plain JSON, apart from the block number. */
export interface Deployment {
  readonly chainId: number
  readonly protocolToken: Address
  readonly nodeRegistry: Address
  readonly dataRegistry: Address
  readonly jobBoard: Address
  readonly permissions: Address
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
