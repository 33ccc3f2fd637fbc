import { manifestDigest, parseJobManifest } from '@sealpool/compute'
import { ContractsError } from '@sealpool/contracts'
import { digestOf, encodeBase64Url, type JsonObject } from '@sealpool/crypto'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { PolicyRestriction } from '../policy/restriction.js'
import { handOffFixture, handOffManifest, handOffPool, policyJson } from '../testing/hand-off-fixture.js'
import { notedSteps } from '../testing/noted-steps.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'
import { answerKeys, fileOf, part, partFile, transferCalls, untilEnded } from '../testing/transfer-calls.js'
import type { HandOffVisit } from './hand-off-visit.js'
import type { Leash } from './leash.js'
import type { TransferState } from './serve-hand-off.js'

const here = await handOffFixture()
let asked: HandOffVisit
afterAll(() => here.close())
beforeEach(async () => {
  await here.reset()
  asked = await here.visit()
})
const { begin, sealLeash, give, outcomeOf, served } = transferCalls(here, () => asked)

describe('a leash is refused by name', () => {
  const runOf = async (
    change: Partial<Leash>,
    files: readonly Uint8Array[] = [part],
  ): Promise<TransferState> => {
    const transfer = await begin()
    await give(transfer.id, [await sealLeash(transfer, change), ...files])
    return outcomeOf(transfer.id)
  }
  const refused = (code: string) => ({ state: 'refused', code })
  const restriction: PolicyRestriction = {
    format: 'sealpool/policy-restriction',
    version: 1,
    reason: 'x',
    withoutJoins: true,
  }

  it('and is noted as a step of the job that was opened, however it ends', async () => {
    const { steps, trace } = notedSteps()
    here.runner = await here.startRunner({ trace })
    expect(await runOf({ job: '2' })).toEqual(refused('LEASH_OTHER_JOB'))
    expect(steps).toEqual([['job.handed', { job: '1', manifest: asked.job.manifestDigest }]])
  })

  it.each<[string, Partial<Leash>, string]>([
    ['of another transfer', { transfer: '0'.repeat(32) }, 'LEASH_OTHER_JOB'],
    ['of another job', { job: '2' }, 'LEASH_OTHER_JOB'],
    ['of another home node', { home: addressOfDigit('1') }, 'LEASH_OTHER_JOB'],
    ['that outlives what the manifest allows', { expiresAt: 1_800_000_001 }, 'LEASH_OTHER_JOB'],
    ['that is over', { expiresAt: 1_700_000_000 }, 'LEASH_EXPIRED'],
    ['with another plan', { plan: digestOfDigit('1') }, 'PLAN_DIFFERS'],
    [
      'with no policy of the pool',
      { pools: [{ address: handOffPool.address, policy: {}, restrictions: [] }] },
      'POLICY_DIFFERS',
    ],
    [
      'with a wider policy',
      {
        pools: [
          {
            address: handOffPool.address,
            policy: { ...policyJson, purposes: ['research', 'sale'] },
            restrictions: [],
          },
        ],
      },
      'POLICY_DIFFERS',
    ],
    [
      'with a restriction that the chain does not show',
      {
        pools: [
          {
            address: handOffPool.address,
            policy: policyJson,
            restrictions: [restriction as unknown as JsonObject],
          },
        ],
      },
      'POLICY_DIFFERS',
    ],
    [
      'with another pool',
      { pools: [{ address: addressOfDigit('b'), policy: policyJson, restrictions: [] }] },
      'MANIFEST_NOT_APPROVED',
    ],
    [
      'with a table more',
      {
        tables: [
          { name: 'pay.workers', files: [1] },
          { name: 'pay.other', files: [] },
        ],
      },
      'TABLES_DIFFER',
    ],
    ['with another table', { tables: [{ name: 'pay.other', files: [1] }] }, 'TABLES_DIFFER'],
    ['with a file in no table', { tables: [{ name: 'pay.workers', files: [] }] }, 'TABLES_DIFFER'],
    ['with a file twice', { tables: [{ name: 'pay.workers', files: [1, 1] }] }, 'TABLES_DIFFER'],
    ['with a file that is the leash', { tables: [{ name: 'pay.workers', files: [2] }] }, 'TABLES_DIFFER'],
    [
      'with other files than were given',
      { files: [{ ...partFile, digest: digestOfDigit('1') }] },
      'PARTS_DIFFER',
    ],
    ['without a key', { tableKey: 'short' }, 'LEASH_INVALID'],
    ['of another version', { version: 2 as never }, 'LEASH_INVALID'],
    ['whose key is no 32 bytes', { tableKey: `${'A'.repeat(42)}B` }, 'LEASH_INVALID'],
  ])('%s', async (_, change, code) => {
    expect(await runOf(change)).toEqual(refused(code))
    expect(here.loaded).toEqual([])
    await untilEnded(async () => (await served()).length === 0)
  })

  it('whose files were announced otherwise than it names them', async () => {
    const transfer = await begin()
    const sealed = await sealLeash(transfer)
    const announced = [fileOf(sealed), { ...partFile, digest: digestOfDigit('1') }]
    await give(transfer.id, [sealed, part], announced)
    expect(await outcomeOf(transfer.id)).toEqual(refused('PARTS_DIFFER'))
  })

  it('with a policy that the chain shows, and that is none', async () => {
    here.chain.shownPolicy = digestOf({})
    const pools = [{ address: handOffPool.address, policy: {}, restrictions: [] }]
    expect(await runOf({ pools })).toEqual(refused('POLICY_DIFFERS'))
  })

  it('with another manifest than the chain shows, however little it differs', async () => {
    for (const change of [{ title: 'Other' }, { purpose: 'sale' }, { privacy: { epsilon: 2, delta: 0 } }]) {
      const manifest = { ...(asked.manifest as unknown as JsonObject), ...change }
      expect(await runOf({ manifest })).toEqual(refused('MANIFEST_NOT_APPROVED'))
    }
    expect(await runOf({ manifest: {} })).toEqual(refused('MANIFEST_NOT_APPROVED'))
  })

  it('of a job that was proposed for another consumer or for other pools than its manifest says', async () => {
    const terms = here.chain.terms.get('1')
    if (terms === undefined) throw new Error('no terms')
    const open = await begin()
    here.chain.terms.set('1', { ...terms, consumer: addressOfDigit('1') })
    await give(open.id, [await sealLeash(open), part])
    expect(await outcomeOf(open.id)).toEqual(refused('MANIFEST_NOT_APPROVED'))
    here.chain.terms.set('1', { ...terms, pools: [...terms.pools, addressOfDigit('b')] })
    expect(await runOf({})).toEqual(refused('MANIFEST_NOT_APPROVED'))
  })

  it('whose manifest calls the pool by another name than its policy', async () => {
    await here.reset()
    const pools = [{ address: handOffPool.address, name: 'people' }]
    const plan = asked.planned.planDigest
    asked = { ...asked, manifest: handOffManifest({}, { pools }) }
    const digest = manifestDigest(asked.manifest)
    asked = { ...asked, job: { ...asked.job, manifestDigest: digest } }
    here.chain.terms.set('1', {
      manifestDigest: digest,
      consumer: asked.manifest.consumer.address,
      pools: [handOffPool.address],
      deadline: 1_900_000_000,
    })
    expect(await runOf({ plan })).toEqual(refused('POLICY_DIFFERS'))
  })

  it('whose time was over before its answer was there', async () => {
    here.runner = await here.startRunner({
      openEngine: (options) => {
        here.chain.time = 1_800_000_000
        return here.context.openEngine(options)
      },
    })
    expect(await runOf({})).toEqual(refused('LEASH_EXPIRED'))
  })

  it('whose manifest says nothing of a hand-off, or names other measurements', async () => {
    const { handOff: _, ...plain } = handOffManifest()
    for (const manifest of [plain, handOffManifest({ measurements: [`0x${'cd'.repeat(32)}`] })]) {
      asked = await (async () => {
        await here.reset()
        return here.visit(manifest)
      })()
      expect(await runOf({})).toEqual(refused('MEASUREMENT_NOT_NAMED'))
    }
  })

  it('on a node that the chain does not list as what it is', async () => {
    for (const runner of [
      null,
      { ...here.chain.runner, active: false },
      { ...here.chain.runner, measurement: `0x${'cd'.repeat(32)}` },
    ]) {
      here.chain.runner = runner as typeof here.chain.runner
      expect(await runOf({})).toEqual(refused('MEASUREMENT_NOT_NAMED'))
    }
  })

  it('when the job was stopped, lost or ended since the transfer began', async () => {
    const standings = [{ suspended: true }, { node: addressOfDigit('1') }, { state: 'Expired' as const }]
    for (const change of standings) {
      await here.reset()
      asked = await here.visit()
      const transfer = await begin()
      here.chain.standing = { ...here.chain.standing, ...change }
      await give(transfer.id, [await sealLeash(transfer), part])
      expect(await outcomeOf(transfer.id)).toEqual(refused('LEASH_OTHER_JOB'))
    }
  })

  it('when the chain narrows the pool by a restriction that it does not have', async () => {
    here.chain.restrictions = [digestOf(restriction as unknown as JsonObject)]
    expect(await runOf({})).toEqual(refused('POLICY_DIFFERS'))
    const pools = [
      {
        address: handOffPool.address,
        policy: policyJson,
        restrictions: [restriction as unknown as JsonObject],
      },
    ]
    // Narrowed as the chain shows, it is planned under what is left: no joins are asked for here.
    expect(await runOf({ pools })).toEqual({ state: 'answered' })
    const stop = { format: 'sealpool/policy-restriction', version: 1, reason: 'x', stop: true } as const
    here.chain.restrictions = [digestOf(stop)]
    expect(
      await runOf({ pools: [{ address: handOffPool.address, policy: policyJson, restrictions: [stop] }] }),
    ).toEqual(refused('POLICY_DIFFERS'))
  })

  it('when a restriction leaves the job less budget than its plan spends', async () => {
    const perJob = { epsilon: 0.5, delta: 0 }
    const less: JsonObject = { format: 'sealpool/policy-restriction', version: 1, reason: 'x', perJob }
    here.chain.restrictions = [digestOf(less)]
    expect(
      await runOf({ pools: [{ address: handOffPool.address, policy: policyJson, restrictions: [less] }] }),
    ).toEqual(refused('PLAN_DIFFERS'))
  })

  it('of a job that is for a purpose that the pool does not allow, whatever was approved', async () => {
    const manifest = parseJobManifest({ ...asked.manifest, purpose: 'sale' })
    const terms = here.chain.terms.get('1')
    if (terms === undefined) throw new Error('no terms')
    const open = await begin()
    here.chain.terms.set('1', { ...terms, manifestDigest: manifestDigest(manifest) })
    await give(open.id, [await sealLeash(open, { manifest: manifest as unknown as JsonObject }), part])
    expect(await outcomeOf(open.id)).toEqual(refused('PLAN_DIFFERS'))
  })

  it('when its consumer does not meet an access condition, by what the chain shows here', async () => {
    const { consumer } = asked.manifest
    const narrowed = async (use: JsonObject): Promise<TransferState> => {
      const access: JsonObject = { version: 1, use }
      const only: JsonObject = { format: 'sealpool/policy-restriction', version: 1, reason: 'x', access }
      here.chain.restrictions = [digestOf(only)]
      return runOf({ pools: [{ address: handOffPool.address, policy: policyJson, restrictions: [only] }] })
    }
    const block = { number: 9n, hash: `0x${'0'.repeat(64)}`, timestamp: 1_700_000_000 }
    Object.assign(here.chain, { access: async () => [{ block, answers: [null] }] })
    expect(await narrowed({ not: { wallets: [consumer.address] } })).toEqual(refused('ACCESS_NOT_MET'))
    expect(await narrowed({ wallets: [consumer.address] })).toEqual({ state: 'answered' })
    const failing = (code: 'ARGUMENT_INVALID' | 'CHAIN_UNREACHABLE') =>
      Object.assign(here.chain, {
        access: async () => {
          throw new ContractsError(code, 'access', 'x')
        },
      })
    failing('ARGUMENT_INVALID')
    expect(await narrowed({ wallets: [consumer.address] })).toEqual(refused('ACCESS_NOT_MET'))
    failing('CHAIN_UNREACHABLE')
    expect(await narrowed({ wallets: [consumer.address] })).toEqual(refused('RUN_FAILED'))
  })

  it('that is sealed to another key, for another pool or chain, or is no leash', async () => {
    const cases: readonly (readonly [object, 'leash' | 'answer', boolean])[] = [
      [{}, 'leash', true],
      [{ pool: addressOfDigit('b') }, 'leash', false],
      [{ chainId: 1 }, 'leash', false],
      [{}, 'answer', false],
    ]
    for (const [scope, kind, foreign] of cases) {
      const transfer = await begin()
      const to = foreign ? { ...transfer, publicKey: encodeBase64Url(answerKeys.publicKey) } : transfer
      await give(transfer.id, [await sealLeash(to, {}, scope, kind), part])
      expect(await outcomeOf(transfer.id)).toEqual(refused('LEASH_INVALID'))
    }
  })

  it('whose files are not what was announced, though every chunk is what it says', async () => {
    const transfer = await begin()
    const other = part.map((byte) => byte ^ 1)
    const sealed = await sealLeash(transfer)
    await give(transfer.id, [sealed, other], [fileOf(sealed), partFile])
    expect(await outcomeOf(transfer.id)).toEqual(refused('PARTS_DIFFER'))
    const second = await begin()
    const leashOfSecond = await sealLeash(second)
    const changed = leashOfSecond.map((byte, index) => (index === leashOfSecond.length - 1 ? byte ^ 1 : byte))
    await give(second.id, [changed, part], [fileOf(leashOfSecond), partFile])
    expect(await outcomeOf(second.id)).toEqual(refused('PARTS_DIFFER'))
  })

  it('and a chain that cannot be read is this node’s failure, told without its reason', async () => {
    const transfer = await begin()
    here.chain.terms.clear()
    await give(transfer.id, [await sealLeash(transfer), part])
    expect(await outcomeOf(transfer.id)).toEqual(refused('RUN_FAILED'))
    expect(here.errors).toHaveLength(1)
  })
})
