import type { ClaimCondition } from '@sealpool/contracts'
import { expect, test } from 'vitest'
import { claimsMet } from './claims-met.js'

const claims = {
  role: 'auditor',
  level: 3,
  none: null,
  roles: ['reader', { name: 'auditor', scopes: ['a', 'b'] }],
  nested: { list: [[1], [2, 3]] },
  length: 7,
}

test.each<[string, ClaimCondition, boolean]>([
  ['a value', { path: ['role'], oneOf: ['auditor'] }, true],
  ['one of several', { path: ['role'], oneOf: ['x', 'auditor'] }, true],
  ['another value', { path: ['role'], oneOf: ['x'] }, false],
  ['a number for text', { path: ['level'], oneOf: ['3'] }, false],
  ['nothing', { path: ['absent'], oneOf: ['x'] }, false],
  ['null', { path: ['none'], oneOf: [false, 0, ''] }, false],
  ['any item', { path: ['roles', null], oneOf: ['reader'] }, true],
  ['a member of any item', { path: ['roles', null, 'name'], oneOf: ['auditor'] }, true],
  ['an item of a list in any item', { path: ['roles', null, 'scopes', 1], oneOf: ['b'] }, true],
  ['an item by its place', { path: ['roles', 0], oneOf: ['reader'] }, true],
  ['an item past the end', { path: ['roles', 2], oneOf: ['reader'] }, false],
  ['any item of any item', { path: ['nested', 'list', null, null], oneOf: [3] }, true],
  ['a list as a whole', { path: ['roles'], oneOf: ['reader'] }, false],
  ['any item of what is no list', { path: ['role', null], oneOf: ['auditor'] }, false],
  ['a place in an object', { path: ['nested', 0], oneOf: [1] }, false],
  ['a name in a list', { path: ['roles', 'length'], within: { from: 0 } }, false],
  ['a name in text', { path: ['role', 'length'], within: { from: 0 } }, false],
  ['a name that every object inherits', { path: ['constructor', 'name'], oneOf: ['Object'] }, false],
  ['a number from somewhere on', { path: ['level'], within: { from: 3 } }, true],
  ['a number up to somewhere', { path: ['level'], within: { to: 3 } }, true],
  ['a number between', { path: ['level'], within: { from: 1, to: 2.9 } }, false],
  ['text for a number', { path: ['role'], within: { from: 0 } }, false],
  ['a member of its own name', { path: ['length'], within: { from: 7, to: 7 } }, true],
])('%s', (_, condition, expected) => {
  expect(claimsMet(claims, [condition], new Set())).toBe(expected)
})

test('all of them must be met, and none is asked of whoever asks none', () => {
  const met: ClaimCondition = { path: ['role'], oneOf: ['auditor'] }
  expect(claimsMet(claims, [], new Set())).toBe(true)
  expect(claimsMet(claims, [met, met], new Set())).toBe(true)
  expect(claimsMet(claims, [met, { path: ['role'], oneOf: ['x'] }], new Set())).toBe(false)
})

test('a place counts in no list of which the holder chose what stands there; any item does', () => {
  const shortened = new Set([claims.roles])
  const met = (path: ClaimCondition['path'], oneOf: readonly string[]) =>
    claimsMet(claims, [{ path, oneOf }], shortened)
  expect(met(['roles', 0], ['reader'])).toBe(false)
  expect(met(['roles', null], ['reader'])).toBe(true)
  expect(met(['roles', null, 'scopes', 1], ['b'])).toBe(true)
  expect(claimsMet(claims, [{ path: ['nested', 'list', 0, 0], oneOf: [1] }], shortened)).toBe(true)
})
