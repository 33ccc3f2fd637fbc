import { canonicalize, type JsonObject } from '@sealpool/crypto'
import * as z from 'zod'

/** What a successor may have otherwise: where its keys and its quotes come from, and which node of that key it is. */
const itsOwn: readonly string[] = ['evidence', 'keyRelease', 'keyRecovery', 'instance']

/** Adapters under which only the operating system keeps the root from the operator. */
const openRelease = z.union([
  z.looseObject({ adapter: z.literal('development') }),
  z.looseObject({ adapter: z.literal('sealed'), sealer: z.literal('simulated') }),
])
const keyRelease = z.looseObject({ adapter: z.string() })

/**
 * Whether a successor treats data as this node does: all of its measured settings are the same, but for where keys and quotes come
 * from. Else an operator could have the keys go to the same code under a chain of his own.
 * @param own measured settings of this node
 * @param other measured settings of the successor, JSON of unknown origin
 * @returns why not; undefined when it does
 */
export function otherRules(own: JsonObject, other: JsonObject): string | undefined {
  const names = new Set([...Object.keys(own), ...Object.keys(other)])
  const differs = [...names].filter(
    (name) => !itsOwn.includes(name) && canonicalize(own[name] ?? null) !== canonicalize(other[name] ?? null),
  )
  if (differs.length > 0) return `its measured settings differ in ${differs.sort().slice(0, 5).join(', ')}`
  const isOpen = (settings: JsonObject) => openRelease.safeParse(settings['keyRelease']).success
  if (!keyRelease.safeParse(other['keyRelease']).success || (isOpen(other) && !isOpen(own)))
    return 'it would keep the root where its operator can read it'
  return undefined
}

/** Adapters that keep a root in the node's own data folder: the only ones that a root can be handed to. */
const keeps = z.looseObject({ adapter: z.enum(['sealed', 'development']) })

/**
 * Whether a node with these settings keeps a root itself. Under any other adapter its present keys follow from a root that somebody
 * else has chosen or knows (a broker, a committee), so what is sealed to them is open to that one.
 * @param settings measured settings, JSON of unknown origin
 * @returns true for the adapters that take a root in
 */
export function keepsRoot(settings: JsonObject): boolean {
  return keeps.safeParse(settings['keyRelease']).success
}
