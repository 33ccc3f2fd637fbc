import { noteDisputes } from '../state/verdict-agreement-table.js'
import type { AgreementDecision } from '../validation/decide-agreement.js'
import type { IngestContext } from './ingest-context.js'
import type { ServedPool } from './served-pool.js'

/** Records who contradicts whom: in the state, and in the audit log when it is new. */
export async function tellDisputes(
  { store, validation }: Pick<IngestContext, 'store' | 'validation'>,
  { address: pool }: Pick<ServedPool, 'address'>,
  contribution: string,
  { disputes }: Pick<AgreementDecision, 'disputes'>,
): Promise<void> {
  if (disputes.length === 0) return
  const fresh = await store.transaction((tx) => noteDisputes(tx, { contribution, pool }, disputes))
  for (const { kind, signers, digests, fields } of fresh) {
    validation?.audit.write({
      event: 'verdict-disputed',
      facts: {
        contribution,
        pool,
        kind,
        signers: [...signers],
        left: digests[0],
        right: digests[1],
        fields: fields.slice(0, 10),
      },
    })
  }
}
