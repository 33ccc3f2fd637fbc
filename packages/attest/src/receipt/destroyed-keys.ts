import { type CheckAnswer, fail, pass } from '../verdict/check-list.js'
import type { DestroyedKey, ReceiptBody } from './receipt.js'

const words: Readonly<Record<DestroyedKey['use'], string>> = {
  'live-tables': 'tables of live pools',
  'hand-off': 'what other nodes were given',
  result: 'sealed copies of the result',
}

/**
 * Whether what a receipt says of its job's own keys fits what it says of the job: each is named once, that of every sealed copy is among
 * them, and so are those without which the job could not have run as it says. That they are destroyed is the node's word: its
 * attestation says which code gave it, and nothing proves it.
 *
 * @param body - what the receipt says
 * @returns the answer; a receipt that says nothing of keys is of a release that did not, and passes
 */
export function keysAnswer({
  destroyedKeys,
  outcome,
  result,
  pools,
  handOff,
  shards,
  homes,
}: ReceiptBody): CheckAnswer {
  if (destroyedKeys === undefined)
    return pass('It says nothing of them: it is of a release whose receipts did not.')
  const named = new Set(destroyedKeys.map(({ use, id }) => `${use} ${id}`))
  if (named.size !== destroyedKeys.length) return fail('a key is named twice')
  const copies =
    result === null ? [] : (result.views?.flatMap(({ sealed }) => sealed ?? []) ?? [result.sealed])
  const ofResult = destroyedKeys.filter(({ use }) => use === 'result').map(({ id }) => id)
  if ([...copies].sort().join() !== [...ofResult].sort().join())
    return fail('the keys of the sealed result are not those of its sealed copies')
  const lacks = (use: DestroyedKey['use']) => destroyedKeys.every((key) => key.use !== use)
  if (outcome === 'released' && (handOff ?? shards) !== undefined && lacks('hand-off'))
    return fail('another node ran the job or a part of it, and no key of what it was given is named')
  // Pools of other homes were read there.
  const live = homes === undefined && pools.some((pool) => pool.live !== undefined)
  if (outcome === 'released' && live && lacks('live-tables'))
    return fail('the job read a live pool, and no key of its tables is named')
  if (destroyedKeys.length === 0) return pass('The node says that it made none.')
  const counts = Object.entries(words).flatMap(([use, text]) => {
    const ids = destroyedKeys.filter((key) => key.use === use).map(({ id }) => id)
    return ids.length === 0 ? [] : [`${ids.length} of ${text} (${ids.join(', ')})`]
  })
  return pass(`The node says that it destroyed ${counts.join('; ')}. That is its word.`)
}
