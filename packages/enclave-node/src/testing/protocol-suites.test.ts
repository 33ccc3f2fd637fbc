import { afterAll, describe, expect, it } from 'vitest'
import { casesOf, changedAt, changedLeaves, placesIn } from './protocol-case.js'
import { protocolCases } from './protocol-suites.js'

describe('the protocols between nodes', { timeout: 240_000 }, async () => {
  const { cases, close } = await protocolCases()
  afterAll(close)
  it.each(cases)('$protocol: $end: $kind: $title', async ({ run }) => {
    await run()
  })

  it('have valid and hostile cases at each end', () => {
    const kinds = new Map<string, Set<string>>()
    for (const { protocol, end, kind } of cases) {
      const name = `${protocol}: ${end}`
      kinds.set(name, (kinds.get(name) ?? new Set()).add(kind))
    }
    expect([...kinds.keys()]).toEqual([
      'federation: coordinator: share',
      'federation: coordinator: refusal',
      'federation: home',
      'hand-off: home: answer',
      'hand-off: runner',
      'validation: home',
      'validation: validator',
      'own copies: node',
      'heads: keeper',
      'heads: node',
    ])
    for (const [name, found] of kinds) expect([...found].sort(), name).toEqual(['hostile', 'valid'])
  })
})

describe('a case', () => {
  const { valid, hostile } = casesOf('x', 'y')
  const throws = async () => {
    throw Object.assign(new Error('x'), { code: 'WRONG' })
  }
  it('fails when what is hostile is taken, or refused for another reason', async () => {
    await expect(hostile('x', ['WRONG'], async () => ({ state: 'given' })).run()).rejects.toThrow(
      'it was taken',
    )
    await expect(hostile('x', ['OTHER'], throws).run()).rejects.toThrow('WRONG is not one of OTHER')
    await hostile('x', ['WRONG'], throws).run()
    await hostile('x', ['WRONG'], async () => 'WRONG').run()
    await hostile('x', ['WRONG'], async () => ({ state: 'refused', reason: 'WRONG' })).run()
  })

  it('fails when what is valid is refused', async () => {
    await expect(valid('x', throws).run()).rejects.toThrow('x')
  })

  it('changes one thing at a time', () => {
    expect(changedAt(new Uint8Array([1, 2]), 1)).toEqual(new Uint8Array([1, 3]))
    expect(placesIn(10, 4)).toEqual([0, 3, 6, 9])
    expect(changedLeaves({ a: '11', b: [1, true], c: null })).toEqual([
      { place: '.a', json: { a: '12', b: [1, true], c: null } },
      { place: '.b[0]', json: { a: '11', b: [2, true], c: null } },
      { place: '.b[1]', json: { a: '11', b: [1, false], c: null } },
    ])
  })
})
