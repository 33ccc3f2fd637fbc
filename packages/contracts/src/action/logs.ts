/** A range of blocks, both ends included. */
export interface BlockRange {
  readonly fromBlock: bigint
  readonly toBlock: bigint
}

/** Blocks per request when the caller does not say; public RPC services refuse more. */
export const DEFAULT_BLOCKS_PER_REQUEST = 5_000n

/**
 * Reads events range by range, in order: services limit the blocks per request, and one huge answer would have to be
 * held whole by them and by us.
 */
export async function readInRanges<Log>(
  range: BlockRange,
  blocksPerRequest: bigint,
  read: (part: BlockRange) => Promise<readonly Log[]>,
): Promise<Log[]> {
  const found: Log[] = []
  for (let from = range.fromBlock; from <= range.toBlock; from += blocksPerRequest) {
    const last = from + blocksPerRequest - 1n
    found.push(...(await read({ fromBlock: from, toBlock: last < range.toBlock ? last : range.toBlock })))
  }
  return found
}
