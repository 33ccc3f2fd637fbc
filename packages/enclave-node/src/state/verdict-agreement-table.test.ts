import type { Address } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { chainContribution } from '../testing/job-fixture.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { forgetContent, withdrawnWithContent } from './content-table.js'
import { insertContribution } from './contribution-table.js'
import { migrate } from './migration.js'
import { openPgliteStore } from './pglite-store.js'
import { countDisputes, disputesOn, noteDisputes, type RecordedDispute } from './verdict-agreement-table.js'

const store = await openPgliteStore({ directory: 'memory' })
await migrate(store)
afterAll(() => store.close())
beforeEach(() => store.run('truncate verdict_disputes'))

const [one, two, three] = ['1', '2', '3'].map(addressOfDigit) as [Address, Address, Address]
const of = { contribution: '7', pool: addressOfDigit('a') }
/** @param signature as it came: the same word can be signed in many ways */
const dispute = (
  signers: readonly [Address, Address],
  signature = '0x',
  change: Partial<RecordedDispute['expected']> = {},
): RecordedDispute => {
  const statement = { statement: {}, context: {}, signature, signer: signers[1] } as never
  return {
    kind: signers[0] === signers[1] ? 'double-vote' : 'mismatch',
    signers,
    digests: [digestOfDigit('1'), digestOfDigit(String(signature.length % 10))],
    fields: ['score'],
    statements: [statement, statement],
    expected: {
      poc: digestOfDigit('1'),
      commitment: digestOfDigit('2'),
      inputs: digestOfDigit('3'),
      validators: [one, two, three],
      ...change,
    },
  }
}
const note = async (...disputes: RecordedDispute[]) => (await noteDisputes(store, of, disputes)).length

describe('a dispute', () => {
  it('counts once, however often, in whatever order and under whatever signature it comes', async () => {
    expect(await note(dispute([one, two]))).toBe(1)
    expect(await note(dispute([one, two], '0x1'), dispute([two, one], '0x12'), dispute([one, two]))).toBe(0)
    expect(await countDisputes(store)).toBe(1)
  })

  it('of others, of one with himself, over other inputs, by other code or on another contribution is another', async () => {
    const others = [
      dispute([one, two]),
      dispute([one, three]),
      dispute([two, two]),
      dispute([one, two], '0x', { inputs: digestOfDigit('4') }),
      dispute([one, two], '0x', { poc: digestOfDigit('4') }),
      dispute([one, two], '0x', { commitment: digestOfDigit('4') }),
    ]
    expect(await note(...others)).toBe(6)
    expect(await noteDisputes(store, { ...of, contribution: '8' }, [dispute([one, two])])).toHaveLength(1)
    expect(await countDisputes(store)).toBe(7)
  })

  it('is kept of one contribution twenty times at most', async () => {
    const many = Array.from({ length: 25 }, (_, index) =>
      dispute([one, two], '0x', { inputs: `sha256:${String(index).padStart(64, '0')}` }),
    )
    expect(await note(...many)).toBe(20)
    expect(await disputesOn(store, '7')).toHaveLength(20)
  })
})

describe('an entry of a Merkle batch that was taken back', () => {
  it.each([
    ['the digest of its rows', `insert into live_copies values (5, 'x', 'sha256:1', 1, true, 0)`],
    ['what validators agreed on', `insert into verdict_agreements values (5, '{}')`],
    [
      'what validators contradicted each other with',
      `insert into verdict_disputes values (1, 5, 'x', 'e', '{}', '{}')`,
    ],
  ])('is looked for while %s is there', async (_, insert) => {
    await store.run('truncate contributions, contributors, live_copies, verdict_disputes cascade')
    await insertContribution(store, chainContribution({ id: '5', merkle: { batch: '1', index: 0 } }))
    await store.query(`update contributions set state = 'withdrawn'`)
    expect(await withdrawnWithContent(store)).toEqual([])
    await store.query(insert)
    expect(await withdrawnWithContent(store)).toEqual(['5'])
    await forgetContent(store, '5')
    expect(await withdrawnWithContent(store)).toEqual([])
  })
})
