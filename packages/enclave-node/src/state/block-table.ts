/**
 * Blocks that were read: where the chain that the node followed and the one that the endpoint shows now part.
 * @module
 */
import type { Hex } from '@sealpool/crypto'
import { textOf } from './column.js'
import type { Sql } from './state-store.js'

/** A block that was read. */
export interface ReadBlock {
  readonly number: bigint
  readonly hash: Hex
}

/** How many read blocks are remembered. */
export const rememberedBlocks = 512

/** Notes a block, in the transaction that moves the cursor to or past it; the oldest ones are forgotten. */
export async function noteBlock(tx: Sql, chain: string, block: ReadBlock): Promise<void> {
  await tx.query(
    `insert into chain_blocks (chain, block_number, block_hash) values ($1, $2, $3)
     on conflict (chain, block_number) do update set block_hash = excluded.block_hash`,
    [chain, block.number.toString(), block.hash],
  )
}

/** Forgets all but the newest {@link rememberedBlocks}. */
export async function forgetOldBlocks(tx: Sql, chain: string): Promise<void> {
  await tx.query(
    `delete from chain_blocks where chain = $1 and block_number <
       (select min(block_number) from (select block_number from chain_blocks where chain = $1
          order by block_number desc limit ${rememberedBlocks}) as kept)`,
    [chain],
  )
}

/** Forgets the blocks above `last`. */
export async function forgetBlocksAbove(tx: Sql, chain: string, last: bigint): Promise<void> {
  await tx.query('delete from chain_blocks where chain = $1 and block_number > $2', [chain, last.toString()])
}

/** @returns the remembered blocks, newest first */
export async function readBlocks(sql: Sql, chain: string): Promise<readonly ReadBlock[]> {
  const rows = await sql.query(
    'select block_number::text, block_hash from chain_blocks where chain = $1 order by chain_blocks.block_number desc',
    [chain],
  )
  return rows.map((row) => ({
    number: BigInt(textOf(row, 'block_number')),
    hash: textOf(row, 'block_hash') as Hex,
  }))
}
