import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { RefineError } from '../errors.js'
import { parseJsonSource } from './json-source.js'

interface Case {
  readonly name: string
  readonly text: string
}
/** The texts that proofs of `@sealpool/poc` are held to as well. */
const { accepted, refused } = JSON.parse(
  readFileSync(new URL('../../../../conformance/json/cases.json', import.meta.url), 'utf8'),
) as { readonly accepted: readonly Case[]; readonly refused: readonly Case[] }
const parse = (text: string) => parseJsonSource(new TextEncoder().encode(text))

describe('JSON that readers take alike, and other', () => {
  test.each(accepted)('$name', ({ text }) => expect(parse(text)).toEqual(JSON.parse(text)))
  test.each(refused)('$name', ({ text }) => expect(() => parse(text)).toThrow(RefineError))
})
