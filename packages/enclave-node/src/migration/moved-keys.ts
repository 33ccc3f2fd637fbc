/**
 * What a node remembers of its keys' whereabouts, in its sealed state: the key sets under which it was listed, and to whom it has
 * handed its keys.
 * @module
 */
import { type Digest, type KeySet, keySetDigest } from '@sealpool/crypto'
import * as z from 'zod'
import type { ChainNode } from '../chain/chain-port.js'
import { NodeError } from '../errors.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import type { Sql, StateStore } from '../state/state-store.js'

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .transform((text) => text as Digest)
const handOversSchema = z.array(z.strictObject({ by: digest, asker: digest, successor: digest }))
const listedSchema = z.array(digest)
const [handOversKey, listedKey] = ['keys handed over', 'key sets listed']

/** One hand-over of the keys. */
export interface HandOverNote {
  /** Key set of the node that gave them. */
  readonly by: Digest
  /** Key set that the asker had before: to nobody else are they given again for this successor. */
  readonly asker: Digest
  /** Key set that the asker has with them. */
  readonly successor: Digest
}

/** The key set that a node's keys make under other settings. */
export function keySetUnder(keySet: KeySet, config: Digest): Digest {
  return keySetDigest({ ...keySet, config })
}

/** @returns every hand-over that this state knows, oldest first */
export async function readHandOvers(sql: Sql): Promise<readonly HandOverNote[]> {
  return readNote(await getMeta(sql, handOversKey), handOversSchema, handOversKey)
}

/** Notes a hand-over; it counts once this resolves, and must before anything is given. */
export async function noteHandOver(store: StateStore, note: HandOverNote): Promise<void> {
  await store.transaction(async (tx) => {
    const known = await readHandOvers(tx)
    if (known.some((one) => one.asker === note.asker && one.successor === note.successor)) return
    await setMeta(tx, handOversKey, JSON.stringify([...known, note]))
  })
}

/** Notes that the registry has listed this key set. */
export async function noteListed(store: StateStore, keySet: Digest): Promise<void> {
  await store.transaction(async (tx) => {
    const known = await readNote(await getMeta(tx, listedKey), listedSchema, listedKey)
    if (!known.includes(keySet)) await setMeta(tx, listedKey, JSON.stringify([...known, keySet]))
  })
}

/**
 * Where the keys of a node are.
 *
 * - `here`: nothing is known against it
 * - `leaving`: this node has handed them over, and the registry does not list the successor yet: it may hand them over again, and do
 *   nothing else
 * - `gone`: the registry lists a successor, or other code than this with a key set that came after this one's
 */
export type KeysPlace = 'here' | 'leaving' | 'gone'

/**
 * Says where the keys are, by what this state remembers and what the registry holds under the statement key now. The registry alone
 * is enough to refuse a state that was put back from before the hand-over.
 * @param options this node's key set and measurement, and the registry's record
 */
export async function placeOfKeys(
  sql: Sql,
  options: {
    readonly keySetDigest: Digest
    readonly measurement: string
    readonly record: ChainNode | null
  },
): Promise<KeysPlace> {
  const { keySetDigest: own, measurement, record } = options
  const handed = (await readHandOvers(sql)).filter(({ by }) => by === own)
  const other = record !== null && record.keySetDigest !== own ? record : undefined
  if (other !== undefined && handed.some(({ successor }) => successor === other.keySetDigest)) return 'gone'
  const listed = await readNote(await getMeta(sql, listedKey), listedSchema, listedKey)
  if (other !== undefined && other.measurement !== measurement && listed.includes(own)) return 'gone'
  return handed.length > 0 ? 'leaving' : 'here'
}

/** @returns the refusal of a node whose keys are elsewhere */
export function keysMoved(): NodeError {
  return new NodeError(
    'KEYS_MOVED',
    'keys',
    'the registry lists a successor that has this node’s keys; start that one, this one works no more',
  )
}

function readNote<T>(text: string | undefined, schema: z.ZodType<T[]>, key: string): readonly T[] {
  if (text === undefined) return []
  const read = schema.safeParse(JSON.parse(text))
  if (read.success) return read.data
  throw new NodeError('STATE_UNREADABLE', key, 'a newer release has written it; start that one')
}
