import { ClientError } from '../errors.js'
import type { Readiness, VerifiedPool } from './verified-pool.js'

/**
 * The pool of a readiness that says yes.
 *
 * @param client what is asked for a readiness
 * @throws ClientError `NOT_READY` with the checks that failed; as its `ready`
 */
export async function verifiedNow(client: {
  readonly ready: () => Promise<Readiness>
}): Promise<VerifiedPool> {
  const { pool, checks } = await client.ready()
  if (pool !== undefined) return pool
  const failed = checks.filter(({ result }) => result !== 'pass')
  const why = failed.map(({ title, detail }) => `${title} (${detail})`).join('; ')
  throw new ClientError('NOT_READY', 'ready', `nothing was sent: ${why}`)
}
