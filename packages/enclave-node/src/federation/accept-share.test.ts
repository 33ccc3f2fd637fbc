import type { Digest } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { nodeSigner } from '../key/node-signer.js'
import {
  acceptGiven as accept,
  shareDeployment as deployment,
  expectedShare,
  givenShare as given,
  plainShareFile,
  sharePool as poolOf,
  givenStatistics as share,
  shareVerdicts as verdicts,
  budgetView as view,
} from '../testing/given-share.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { otherKeys, otherPool, strangeKeys } from '../testing/share-fixture.js'
import { encodeShareFile } from './share-file.js'

const [expectedPool] = expectedShare.pools

/** Its part of the noise's seed is 43 letters of base64url with a bit too many. */
const unreadable = new TextEncoder().encode(
  new TextDecoder()
    .decode(encodeShareFile({ ...plainShareFile(), noise: new Uint8Array(32) }))
    .replace(`"noise":"${'A'.repeat(43)}"`, `"noise":"${'A'.repeat(42)}B"`),
)

/** Keys may be one block's matter; whatever else is wrong stays so. */
const refused = (why: RegExp) =>
  expect.objectContaining({
    code: /keySet|coordinatorKeys|key epoch/.test(why.source) ? 'SHARE_DIFFERS' : 'SHARE_REFUSED',
    message: expect.stringMatching(why),
  })

describe('a share of another home', () => {
  it('is taken when it is what it was signed for', async () => {
    const good = await given()
    expect(await accept(good)).toMatchObject({
      share,
      noise: new Uint8Array(32).fill(9),
      verdicts: { [otherPool.address]: verdicts },
      body: { job: '7' },
      statement: good.share,
    })
  })

  it.each<[string, Parameters<typeof given>[0], RegExp]>([
    ['of another job', { body: { job: '8' } }, /not signed/],
    ['of another manifest', { body: { manifest: digestOfDigit('0') } }, /another manifest/],
    ['of another plan', { body: { plan: digestOfDigit('0') } }, /another plan/],
    ['for another node', { body: { coordinator: addressOfDigit('1') } }, /another coordinator$/],
    ['for other keys of this node', { body: { coordinatorKeys: digestOfDigit('0') } }, /coordinatorKeys/],
    ['under other keys', { body: { keySet: digestOfDigit('0') } }, /another keySet/],
    ['that hides a simulation', { body: { simulated: false } }, /another simulated/],
    ['of more pools', { body: { pools: [poolOf(), poolOf()] } }, /other pools/],
    ['of another pool', { body: { pools: [poolOf({ pool: addressOfDigit('c') })] } }, /not signed/],
    ['of a pool with another name', { body: { pools: [poolOf({ name: 'x' })] } }, /other pools/],
    ['under another policy', { body: { pools: [poolOf({ policy: digestOfDigit('0') })] } }, /another policy/],
    ['of another epoch', { body: { pools: [poolOf({ epoch: 2 })] } }, /another key epoch/],
    [
      'that was charged less',
      {
        body: {
          pools: [poolOf({ budget: { ...poolOf().budget, charged: { epsilon: '0.5', delta: '0' } } })],
        },
      },
      /not charged what/,
    ],
    [
      'that was charged more delta',
      {
        body: {
          pools: [poolOf({ budget: { ...poolOf().budget, charged: { epsilon: '1', delta: '0.0000001' } } })],
        },
      },
      /not charged what/,
    ],
    [
      'that moved no ledger',
      { body: { pools: [poolOf({ budget: { ...poolOf().budget, after: view('2', 1) } })] } },
      /was not charged/,
    ],
    [
      'whose budget does not add up',
      { body: { pools: [poolOf({ budget: { ...poolOf().budget, after: view('1.5', 2) } })] } },
      /does not add up/,
    ],
    [
      'whose budget is another one than its policy’s',
      {
        body: {
          pools: [
            poolOf({
              budget: {
                ...poolOf().budget,
                before: { ...view('1', 1), epsilonTotal: '60' },
                after: { ...view('2', 2), epsilonTotal: '60' },
              },
            }),
          ],
        },
      },
      /total of epsilon is not the policy’s/,
    ],
    ['with other sealed bytes', { body: { sealed: digestOfDigit('0') } }, /other sealed bytes/],
    ['with another content', { body: { share: digestOfDigit('0') } }, /another share/],
    ['whose file is of another job', { file: { job: '8' } }, /another job, manifest or plan/],
    ['whose file is of another manifest', { file: { manifest: digestOfDigit('0') } }, /another job/],
    ['whose file is of another plan', { file: { plan: digestOfDigit('0') } }, /another job/],
    ['whose file is none', { bytes: new Uint8Array([1, 2, 3]) }, /or none/],
    ['whose file has a part of the seed that is no 32 bytes', { bytes: unreadable }, /or none/],
    ['whose file is another thing', { bytes: new TextEncoder().encode('{"a":1}') }, /or none/],
    [
      'with other verdicts',
      { file: { verdicts: { [otherPool.address]: [verdicts[0] ?? digestOfDigit('0')] } } },
      /verdicts/,
    ],
    [
      'with changed verdicts',
      { file: { verdicts: { [otherPool.address]: [...verdicts].reverse() } } },
      /verdicts/,
    ],
    [
      'of more inputs than it has verdicts',
      { body: { pools: [poolOf({ inputs: { ...poolOf().inputs, count: 3 } })] } },
      /verdicts/,
    ],
    ['without verdicts', { file: { verdicts: {} } }, /verdicts/],
    ['sealed to somebody else', { to: strangeKeys.publicKey }, /not sealed to this node/],
    ['sealed as something else', { kind: 'answer' }, /not sealed to this node/],
    ['sealed for another pool', { scope: { pool: addressOfDigit('c') } }, /not sealed to this node/],
    ['sealed for another epoch', { scope: { epoch: 2 } }, /not sealed to this node/],
    [
      'signed by somebody else',
      {
        by: nodeSigner({
          statementKey: new Uint8Array(32).fill(5),
          chainId: 31_337,
          registry: deployment.nodeRegistry,
        }),
      },
      /not signed/,
    ],
    [
      'signed on another chain',
      {
        by: nodeSigner({
          statementKey: otherKeys.statementKey,
          chainId: 1,
          registry: deployment.nodeRegistry,
        }),
      },
      /not signed/,
    ],
  ])('%s is refused', async (_, change, why) => {
    await expect(accept(await given(change))).rejects.toEqual(refused(why))
  })

  it('that was given under other access conditions is asked for again; the block is each home’s own', async () => {
    const rules = digestOfDigit('8')
    const met = (
      block: string,
      ...conditions: { readonly rules: Digest; readonly verdict: 'yes' | 'no' }[]
    ) => ({
      access: { block, hash: `0x${'0'.repeat(64)}` as const, conditions },
    })
    const judged = {
      pools: [{ ...expectedPool, pool: { ...otherPool, ...met('7', { rules, verdict: 'yes' }) } }],
    }
    const said = (access: object) => given({ body: { pools: [poolOf(access)] } })
    const same = met('9', { rules, verdict: 'yes' })
    expect((await accept(await said(same), judged)).body.pools[0]?.access).toEqual(same.access)
    for (const other of [
      {},
      met('7', { rules, verdict: 'no' }),
      met('7', { rules: digestOfDigit('9'), verdict: 'yes' }),
      met('7', { rules, verdict: 'yes' }, { rules, verdict: 'yes' }),
    ])
      await expect(accept(await said(other), judged)).rejects.toMatchObject({ code: 'SHARE_DIFFERS' })
    await expect(accept(await said(same))).rejects.toMatchObject({ code: 'SHARE_DIFFERS' })
  })

  it('whose second pool is another one of the same name is refused', async () => {
    const pools = [
      expectedPool,
      { ...expectedPool, pool: { ...otherPool, address: addressOfDigit('d'), name: 'x' } },
    ]
    const said = (pool: string) => given({ body: { pools: [poolOf(), poolOf({ pool, name: 'x' })] } })
    await expect(accept(await said(addressOfDigit('c')), { pools })).rejects.toEqual(refused(/other pools/))
    // With the right one it is the verdicts that are missing.
    await expect(accept(await said(addressOfDigit('d')), { pools })).rejects.toEqual(refused(/verdicts/))
  })

  it('with any changed byte is refused', async () => {
    const good = await given()
    for (const at of [0, 40, good.sealed.length - 1]) {
      const sealed = Uint8Array.from(good.sealed)
      sealed[at] = (sealed[at] ?? 0) ^ 1
      await expect(accept({ ...good, sealed })).rejects.toEqual(refused(/other sealed bytes/))
    }
    const body = { ...good.share.statement.body, isolation: 'none' }
    const changed = { ...good.share, statement: { ...good.share.statement, body } }
    await expect(accept({ ...good, share: changed })).rejects.toEqual(refused(/not signed/))
    for (const none of [null, {}, 'x']) {
      await expect(accept({ ...good, share: none })).rejects.toEqual(refused(/not signed/))
    }
    await expect(accept(good, { pools: [] })).rejects.toEqual(refused(/no pool/))
  })
})
