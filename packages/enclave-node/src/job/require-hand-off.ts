import type { JobManifest } from '@sealpool/compute'
import type { JobContext } from './job-context.js'
import { JobRefusal } from './job-refusal.js'

/**
 * A job that can run nowhere costs nobody anything.
 * @param deadline asks for the job's end on the chain; absent: it is not proposed yet, and has none
 * @throws JobRefusal `HAND_OFF_NOT_SERVED`, `SHARDS_NOT_SERVED`, `GPUS_NOT_JUDGED`, `HAND_OFF_PAST_DEADLINE`, `HAND_OFF_OVER`
 */
export async function requireHandOff(
  {
    chain,
    handOff: home,
  }: Pick<JobContext, 'handOff'> & { readonly chain: Pick<JobContext['chain'], 'head'> },
  { handOff }: Pick<JobManifest, 'handOff'>,
  deadline?: () => Promise<number>,
): Promise<void> {
  if (handOff === undefined) return
  const alone = handOff.fallback === 'none'
  if (home === undefined) {
    if (alone) throw JobRefusal.of('HAND_OFF_NOT_SERVED')
    return
  }
  if (handOff.shards !== undefined && handOff.shards > home.mostShards)
    throw JobRefusal.of('SHARDS_NOT_SERVED')
  if (handOff.gpu !== undefined && !home.judgesGpus) throw JobRefusal.of('GPUS_NOT_JUDGED')
  // What is to happen when nobody has answered in time must still be possible then.
  if (deadline !== undefined && handOff.expiresAt >= (await deadline()))
    throw JobRefusal.of('HAND_OFF_PAST_DEADLINE')
  if (!alone) return
  if ((await chain.head()).timestamp >= handOff.expiresAt) throw JobRefusal.of('HAND_OFF_OVER')
}
