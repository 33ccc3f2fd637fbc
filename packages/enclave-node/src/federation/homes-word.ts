/**
 * What homes have signed of a job, for everybody to read.
 * @module
 */
import type { SignedStatement } from '@sealpool/crypto'
import type { Sql } from '../state/state-store.js'
import { readRefusals } from './kept-refusal.js'
import { readGivenShares } from './kept-share.js'

/** @returns shares and refusals; undefined when no home has signed anything of the job */
export async function readHomesWord(sql: Sql, job: string): Promise<readonly SignedStatement[] | undefined> {
  const [shares, refusals] = [await readGivenShares(sql, job), await readRefusals(sql, job)]
  return shares === undefined && refusals.length === 0 ? undefined : [...(shares ?? []), ...refusals]
}
