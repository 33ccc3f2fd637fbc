import { signStatement } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { nodeSigner, subjectOf } from '../key/node-signer.js'
import { headsPool, nodeRing, signerOf } from '../testing/heads-world.js'
import { changedLeaves } from '../testing/protocol-case.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import {
  compareMarks,
  readHeadQuestion,
  readStateHead,
  signHeadQuestion,
  signStateHead,
} from './state-head.js'

const sign = signerOf(nodeRing)
const { deployment } = sign
const head = {
  line: 1,
  version: 7,
  state: digestOfDigit('1'),
  budgets: [
    { pool: headsPool, version: 2, head: digestOfDigit('2') },
    { pool: addressOfDigit('b'), version: 0, head: digestOfDigit('3') },
  ],
}
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('a head', () => {
  it('says what was signed, and by whom', () => {
    const given = signStateHead(sign, head)
    expect(readStateHead(json(given.signed), deployment)).toEqual(given)
    expect(given).toMatchObject({ signer: nodeRing.statementAddress, head, mark: { line: 1, version: 7 } })
  })

  it('is none, or another one’s, once anything of it is changed', () => {
    for (const { place, json: changed } of changedLeaves(json(signStateHead(sign, head).signed))) {
      const signer = readStateHead(changed, deployment)?.signer
      expect([place, signer === nodeRing.statementAddress]).toEqual([place, false])
    }
  })

  it('is of one deployment, under its own number, in one form', () => {
    const other = nodeSigner({
      statementKey: nodeRing.statementKey,
      chainId: 1,
      registry: deployment.nodeRegistry,
    })
    expect(readStateHead(signStateHead(other, head).signed, deployment)).toBeUndefined()
    const elsewhere = nodeSigner({
      statementKey: nodeRing.statementKey,
      chainId: deployment.chainId,
      registry: addressOfDigit('e'),
    })
    expect(readStateHead(signStateHead(elsewhere, head).signed, deployment)).toBeUndefined()
    const { pool, subject, nonce } = signStateHead(sign, head).signed.context
    const place = { type: 'sealpool/state-head', body: head, pool, subject, nonce }
    expect(readStateHead(sign(place), deployment)).toBeDefined()
    for (const change of [
      { pool: headsPool },
      { subject: signStateHead(sign, { ...head, line: 2 }).signed.context.subject },
      { nonce: '1' },
      { facts: [{ type: 'uint256', value: '1' } as const] },
      { type: 'sealpool/audit-head' },
      { body: { ...head, more: 1 } },
      { body: { ...head, budgets: [...head.budgets].reverse() } },
      { body: { ...head, budgets: [head.budgets[0], head.budgets[0]] } },
    ])
      expect(readStateHead(sign({ ...place, ...change } as typeof place), deployment)).toBeUndefined()
    const ofVersion = (version: number) => {
      const { context } = signStateHead(sign, head).signed
      const statement = { type: 'sealpool/state-head', version, body: head }
      return signStatement({ statement, context, privateKey: nodeRing.statementKey })
    }
    expect([1, 2].map((version) => readStateHead(ofVersion(version), deployment) !== undefined)).toEqual([
      true,
      false,
    ])
  })

  it('has a hundred budgets at most', () => {
    const budgets = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        pool: `0x${index.toString(16).padStart(40, '0')}` as const,
        version: Number.MAX_SAFE_INTEGER,
        head: digestOfDigit('2'),
      }))
    const read = (count: number) =>
      readStateHead(json(signStateHead(sign, { ...head, budgets: budgets(count) }).signed), deployment)
    expect([read(100)?.head.budgets.length, read(101)]).toEqual([100, undefined])
  })

  it('of another line is another subject', () => {
    const subjects = [head, { ...head, line: 0 }, { ...head, version: 8 }].map(
      (one) => signStateHead(sign, one).signed.context.subject,
    )
    expect(new Set(subjects).size).toBe(3)
  })

  it('is older than any of a later line', () => {
    const order = (first: readonly [number, number], second: readonly [number, number]) =>
      Math.sign(compareMarks({ line: first[0], version: first[1] }, { line: second[0], version: second[1] }))
    expect([
      order([0, 9], [1, 1]),
      order([1, 1], [0, 9]),
      order([1, 2], [1, 3]),
      order([1, 3], [1, 3]),
    ]).toEqual([-1, 1, -1, 0])
  })
})

it('a question says whom it is put to and when, and nothing once it is changed', () => {
  const question = { keeper: digestOfDigit('4'), at: 1_700_000_000 }
  const signed = signHeadQuestion(sign, question)
  expect(readHeadQuestion(json(signed), deployment)).toEqual({ signer: nodeRing.statementAddress, question })
  const place = {
    type: 'sealpool/state-head-question',
    body: question,
    pool: addressOfDigit('0'),
    nonce: '0',
  }
  expect(
    [0, 1].map(
      (subject) =>
        readHeadQuestion(sign({ ...place, subject: subjectOf(subject) }), deployment) !== undefined,
    ),
  ).toEqual([true, false])
  for (const { json: changed } of changedLeaves(json(signed)))
    expect(readHeadQuestion(changed, deployment)?.signer).not.toBe(nodeRing.statementAddress)
})
