import type { JsonObject, JsonValue } from '@sealpool/crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOfText } from '../../testing/sd-jwt-issuer.js'
import { discloseClaims } from './disclosed-claims.js'

/** A value, and for each part of it what becomes of it: in the open, disclosed, or kept back. */
type Part = readonly ['open' | 'shown' | 'kept', Tree]
type Tree =
  | string
  | { readonly items: readonly Part[] }
  | { readonly members: readonly (readonly [string, ...Part])[] }

const { tree } = fc.letrec<{ tree: Tree }>((tie) => {
  const fate = fc.constantFrom('open' as const, 'shown' as const, 'kept' as const)
  const members = fc.uniqueArray(fc.tuple(fc.constantFrom(...'abcdef'), fate, tie('tree')), {
    maxLength: 3,
    selector: ([name]) => name,
  })
  return {
    tree: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.constantFrom('x', 'y'),
      fc.array(fc.tuple(fate, tie('tree')), { maxLength: 3 }).map((items) => ({ items })),
      members.map((own) => ({ members: own })),
    ),
  }
})

const textOf = (...parts: readonly unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url')

/** As an issuer signs it, and as whoever is shown it sees it. */
function issued(root: Tree) {
  const disclosed: string[] = []
  let salt = 0
  /** No two alike: each has a salt of its own. */
  function hide(shown: boolean, ...parts: readonly unknown[]): string {
    const text = textOf(`salt ${salt++}`, ...parts)
    if (shown) disclosed.push(text)
    return digestOfText(text)
  }
  function encode(
    tree: Tree,
    visible: boolean,
  ): { readonly signed: JsonValue; readonly seen: JsonValue; cut: number } {
    if (typeof tree === 'string') return { signed: tree, seen: tree, cut: 0 }
    let cut = 0
    if ('items' in tree) {
      const signed: JsonValue[] = []
      const seen: JsonValue[] = []
      for (const [fate, value] of tree.items) {
        const inside = encode(value, visible && fate !== 'kept')
        const digest = fate === 'open' ? undefined : hide(visible && fate === 'shown', inside.signed)
        signed.push(digest === undefined ? inside.signed : { '...': digest })
        if (fate === 'kept') continue
        seen.push(inside.seen)
        cut += inside.cut
      }
      return { signed, seen, cut: cut + (seen.length < signed.length ? 1 : 0) }
    }
    const signed: Record<string, JsonValue> = {}
    const seen: Record<string, JsonValue> = {}
    const digests: string[] = []
    for (const [name, fate, value] of tree.members) {
      const inside = encode(value, visible && fate !== 'kept')
      if (fate === 'open') signed[name] = inside.signed
      else digests.push(hide(visible && fate === 'shown', name, inside.signed))
      if (fate === 'kept') continue
      seen[name] = inside.seen
      cut += inside.cut
    }
    return { signed: digests.length === 0 ? signed : { ...signed, _sd: digests }, seen, cut }
  }
  const { signed, seen, cut } = encode(root, true)
  const payload: JsonObject = { root: signed }
  return { payload, claims: { root: seen }, disclosed, cut }
}

test('whatever an issuer hides and a holder discloses is seen, and nothing else', () => {
  fc.assert(
    fc.property(tree, fc.nat(), (root, turn) => {
      const { payload, claims, disclosed, cut } = issued(root)
      const at = disclosed.length === 0 ? 0 : turn % disclosed.length
      const given = [...disclosed.slice(at), ...disclosed.slice(0, at)]
      const found = discloseClaims(payload, given)
      if ('problem' in found) throw new Error(found.problem)
      expect(found.claims).toEqual(claims)
      expect(found.shortened.size).toBe(cut)
      const [first] = given
      if (first !== undefined)
        expect(discloseClaims(payload, [...given, first])).toEqual({ problem: 'DISCLOSURE_REPEATED' })
      const foreign = textOf('salt', 'nobody', 'has signed this')
      expect(discloseClaims(payload, [...given, foreign])).toEqual({ problem: 'DISCLOSURE_NOT_REFERENCED' })
    }),
  )
})
