import type { Address } from '@sealpool/crypto'
import { readShareRefusal } from '../federation/refusal-statement.js'
import type { ShareAnswer } from '../federation/serve-share.js'
import { keys } from './job-fixture.js'

/** What this home answers, a refusal's reason as it has signed it. */
export type ToldShare =
  | Exclude<ShareAnswer, { readonly state: 'refused' }>
  | { readonly state: 'refused'; readonly reason: string }

/** @throws Error when the home of `job-fixture.ts` has not signed for its refusal */
export function told(answer: ShareAnswer): ToldShare {
  if (answer.state !== 'refused') return answer
  const { chainId, registry, pool, subject } = answer.refusal.context
  const read = readShareRefusal(answer.refusal, {
    signer: keys.statementAddress,
    deployment: { chainId, nodeRegistry: registry as Address },
    pool,
    job: BigInt(subject).toString(),
  })
  if (read === undefined) throw new Error('it has signed nothing')
  return { state: 'refused', reason: read.body.reason }
}
