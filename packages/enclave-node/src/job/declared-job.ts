/**
 * What a job's proposal declares on the chain, by which a grant may be bound: the chain compares declarations with grants, and the
 * node holds the manifest to them.
 * @module
 */
import { type JobManifest, type QueryScope, scopeDigest } from '@sealpool/compute'
import type { ChainPort } from '../chain/chain-port.js'
import type { PlannablePool } from '../ingest/served-pool.js'
import { JobRefusal } from './job-refusal.js'
import type { PlannedJob } from './planned-job.js'

/** A manifest and what was planned of it, over all of its pools. */
export interface DeclaredJob {
  readonly manifest: Pick<JobManifest, 'purpose' | 'pools'>
  readonly planned: Pick<PlannedJob<PlannablePool>, 'charges' | 'reached' | 'code' | 'planDigest'>
}

/** @returns the tables and columns that a job touches, and its purpose */
export function scopeOf({ manifest, planned }: DeclaredJob): QueryScope {
  const leaves = planned.charges.flatMap((charge) => charge.leaves)
  const under = (names: readonly string[], prefix: string): readonly string[] =>
    names.flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []))
  return {
    purpose: manifest.purpose,
    pools: manifest.pools.map(({ address, name }) => ({
      address,
      tables: under(leaves, `${name}.`).map((table) => ({
        name: table,
        columns: under(planned.reached, `${name}.${table}.`),
      })),
    })),
  }
}

/**
 * Holds a job to its declaration; one that declares nothing is held to nothing.
 * @param chain where the job was proposed
 * @param id of the job
 * @throws JobRefusal `DECLARATION_DIFFERS` unless its scope is what the plan touches, and its code what will run: a computation's,
 * or a query's plan
 */
export async function requireDeclared(
  chain: Pick<ChainPort, 'jobDeclaration'>,
  id: string,
  job: DeclaredJob,
): Promise<void> {
  const { code, scope } = await chain.jobDeclaration(id)
  const { planned } = job
  const sameCode = code === null || code === (planned.code ?? planned.planDigest)
  if (!sameCode || (scope !== null && scope !== scopeDigest(scopeOf(job))))
    throw JobRefusal.of('DECLARATION_DIFFERS')
}
