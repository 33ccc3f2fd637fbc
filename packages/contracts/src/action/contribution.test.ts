import {
  compactSignatureToHex,
  concat,
  type Hex,
  hexToBigInt,
  maxUint256,
  numberToHex,
  parseSignature,
  signatureToCompactSignature,
} from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { getCode } from 'viem/actions'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ContractsError } from '../errors.js'
import {
  contributionTypedData,
  refinementContext,
  type StatementProof,
  signContribution,
  type VerdictEntry,
  verdictBatchContext,
} from '../statement/index.js'
import { compiledFrom, deploy } from '../testing/compiled.js'
import {
  contributionOf,
  createWorld,
  digest,
  nextNonce,
  prove,
  revertOf,
  type World,
} from '../testing/world.js'
import {
  contribute,
  contributeBatch,
  contributeSigned,
  getBalance,
  getContribution,
  getContributions,
  getPoints,
  getPool,
  getVerdict,
  getVotes,
  recordRefinement,
  recordVerdicts,
} from './index.js'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.devnet.stop())

let compiled: ReturnType<typeof compiledFrom> | undefined
/** Compiling takes seconds. */
const oddTokens = () => {
  compiled ??= compiledFrom('test/OddTokens.sol')
  return compiled
}
const signer = () => privateKeyToAccount(generatePrivateKey())
const deadline = async () => (await world.now()) + 3600n

async function signed(change: Parameters<typeof contributionOf>[2] = {}) {
  const account = signer()
  const contribution = contributionOf(world, account, change)
  return signContribution({ account, deployment: world.deployment, contribution, deadline: await deadline() })
}

async function offered(owner = signer()) {
  const contribution = contributionOf(world, owner)
  const { deployment, client } = world
  const entry = await signContribution({
    account: owner,
    deployment,
    contribution,
    deadline: await deadline(),
  })
  return { owner, ...(await contributeSigned(client, { deployment, signed: entry })) }
}

/** Transactions wait while nothing is mined; afterwards those that wait are mined at once. */
async function mineNothing(nothing: boolean) {
  const { client } = world
  await client.request({ method: 'evm_setAutomine', params: [!nothing] } as never)
  if (!nothing) await client.request({ method: 'evm_mine', params: [] } as never)
}

/** How many transactions wait to be mined. */
async function waiting() {
  const status = await world.client.request({ method: 'txpool_status' } as never)
  return Number((status as { pending: Hex }).pending)
}

const verdictOn = (contributionId: bigint, score = 8_000): VerdictEntry => ({
  contributionId,
  score,
  refused: false,
  verdictDigest: digest(`verdict ${contributionId}`),
})

async function record(entries: VerdictEntry[], change: { pool?: Hex; statement?: StatementProof } = {}) {
  const { deployment, client, node } = world
  const pool = change.pool ?? world.pool.pool
  const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool, entries })
  const statement = change.statement ?? (await prove(node, 'verdictBatch', context))
  return { statement, sent: await recordVerdicts(client, { deployment, pool, entries, statement }) }
}

describe('contribute', () => {
  test('records the sender as owner and tells everything else in the event', async () => {
    const owner = world.account(1)
    const contribution = contributionOf(world, owner)
    const { deployment } = world
    const { id, receipt } = await contribute(world.clientOf(owner), { deployment, contribution })
    expect(await getContribution(world.client, { deployment, id })).toEqual({
      id,
      owner: owner.address,
      pool: world.pool.pool,
      epoch: 1,
      score: 0,
      state: 'Offered',
    })
    const events = await getContributions(world.client, { deployment, fromBlock: receipt.blockNumber })
    expect(events).toEqual([
      expect.objectContaining({
        ...contribution,
        id,
        blockNumber: receipt.blockNumber,
        blockHash: receipt.blockHash,
      }),
    ])
  })

  test('refuses an owner who is not the sender', async () => {
    const contribution = contributionOf(world, world.account(2))
    const attempt = contribute(world.clientOf(world.account(1)), {
      deployment: world.deployment,
      contribution,
    })
    await expect(attempt).rejects.toMatchObject({
      code: 'REVERTED',
      place: 'DataRegistry.contribute',
      revert: { name: 'OwnerNotSender', args: [world.account(2).address, world.account(1).address] },
    })
    await expect(attempt).rejects.toThrow(/use contributeSigned/)
    await expect(attempt).rejects.toBeInstanceOf(ContractsError)
  })

  test.each([
    ['an epoch that is not current', { epoch: 2 }, 'EpochNotCurrent'],
    ['an address that is no pool', { pool: `0x${'12'.repeat(20)}` as Hex }, 'PoolUnknown'],
    ['an empty locator', { locator: '' }, 'LocatorLengthInvalid'],
    ['a locator of 513 bytes', { locator: 'x'.repeat(513) }, 'LocatorLengthInvalid'],
    ['no blob digest', { blobDigest: `0x${'00'.repeat(32)}` as Hex }, 'DigestZero'],
    ['no commitment', { commitment: `0x${'00'.repeat(32)}` as Hex }, 'DigestZero'],
  ])('refuses %s', async (_, change, error) => {
    const { deployment, client } = world
    expect(await revertOf(contributeSigned(client, { deployment, signed: await signed(change) }))).toBe(error)
  })
})

describe('contributeSigned', () => {
  test('an owner without gas contributes through a relayer', async () => {
    const { owner, id } = await offered()
    expect((await getContribution(world.client, { deployment: world.deployment, id })).owner).toBe(
      owner.address,
    )
  })

  test('refuses the same signature twice', async () => {
    const { deployment, client } = world
    const entry = await signed()
    await contributeSigned(client, { deployment, signed: entry })
    expect(await revertOf(contributeSigned(client, { deployment, signed: entry }))).toBe('NonceUsed')
  })

  test('refuses a signature past its deadline', async () => {
    const account = signer()
    const { deployment, client } = world
    const contribution = contributionOf(world, account)
    const entry = await signContribution({
      account,
      deployment,
      contribution,
      deadline: (await world.now()) - 1n,
    })
    expect(await revertOf(contributeSigned(client, { deployment, signed: entry }))).toBe('SignatureExpired')
  })

  test('refuses a signature that was made for another chain, registry, pool, owner or field', async () => {
    const { deployment, client } = world
    const account = signer()
    const contribution = contributionOf(world, account)
    const sign = (other: Partial<typeof deployment>) =>
      signContribution({ account, deployment: { ...deployment, ...other }, contribution, deadline: later })
    const later = await deadline()
    const right = await sign({})
    const other = await world.foundPool('other')
    const wrong = [
      await sign({ chainId: 1 }),
      await sign({ dataRegistry: deployment.jobBoard }),
      { ...right, contribution: { ...contribution, pool: other.pool } },
      { ...right, contribution: { ...contribution, owner: signer().address } },
      { ...right, contribution: { ...contribution, locator: 'memory:stolen' } },
      { ...right, contribution: { ...contribution, consentDigest: digest('other consent') } },
      { ...right, contribution: { ...contribution, nonce: contribution.nonce + 1n } },
      { ...right, deadline: later + 1n },
    ]
    await world.publishKey(other, 1)
    for (const entry of wrong) {
      expect(await revertOf(contributeSigned(client, { deployment, signed: entry }))).toBe(
        'ContributionSignatureInvalid',
      )
    }
    await contributeSigned(client, { deployment, signed: right })
  })
})

describe('contributeBatch', () => {
  test('records 50 owners in order, well under 120,000 gas each', async () => {
    const { deployment, client } = world
    const entries = await Promise.all(Array.from({ length: 50 }, () => signed()))
    const { ids, receipt } = await contributeBatch(client, { deployment, signed: entries })
    expect(ids).toHaveLength(50)
    expect(ids.map((id) => id - (ids[0] ?? 0n))).toEqual(
      Array.from({ length: 50 }, (_, index) => BigInt(index)),
    )
    expect(Number(receipt.gasUsed) / 50).toBeLessThan(90_000)
    const events = await getContributions(client, {
      deployment,
      pool: world.pool.pool,
      fromBlock: receipt.blockNumber,
      toBlock: receipt.blockNumber,
      blocksPerRequest: 1n,
    })
    expect(events.map(({ owner }) => owner)).toEqual(entries.map(({ contribution }) => contribution.owner))
  })

  test('names the entry at fault and records nothing', async () => {
    const { deployment, client } = world
    const good = await signed()
    const bad = await signed()
    const attempt = contributeBatch(client, {
      deployment,
      signed: [good, { ...bad, contribution: { ...bad.contribution, epoch: 1, locator: 'memory:other' } }],
    })
    await expect(attempt).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: expect.stringContaining(`signed[1]: this is no signature of ${bad.contribution.owner}`),
    })
    const torn = { ...bad, signature: bad.signature.slice(0, 66) as Hex }
    await expect(contributeBatch(client, { deployment, signed: [torn] })).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
    })
    await contributeSigned(client, { deployment, signed: good })
  })

  test('sends no form of a signature that the chain does not take, though a key made it', async () => {
    const { deployment, client } = world
    const good = await signed()
    const { r, s, yParity } = parseSignature(good.signature)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const high = numberToHex(order - hexToBigInt(s), { size: 32 })
    const forms = {
      'the other root of the curve': concat([r, high, yParity === 0 ? '0x1c' : '0x1b']),
      'v without 27': concat([r, s, yParity === 0 ? '0x00' : '0x01']),
      'the short form of EIP-2098': compactSignatureToHex(signatureToCompactSignature({ r, s, yParity })),
    }
    for (const [name, signature] of Object.entries(forms)) {
      await expect(
        contributeBatch(client, { deployment, signed: [{ ...good, signature }] }),
        name,
      ).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
        message: expect.stringContaining('signed[0]: this is no signature of'),
      })
    }
    expect((await contributeBatch(client, { deployment, signed: [good] })).ids).toHaveLength(1)
  })

  test('an account that loses its code before it is mined leaves out its own entry only', async () => {
    const { deployment, client } = world
    const [good, of] = [await signed(), world.account(5)]
    const { ContractWallet } = await oddTokens()
    const wallet = await deploy(client, ContractWallet, [of.address])
    const owner = privateKeyToAccount(generatePrivateKey()).address
    const setCode = (code: Hex) => client.request({ method: 'anvil_setCode', params: [owner, code] } as never)
    // What a delegation (EIP-7702) does: the account answers by the wallet's code, until it does not.
    await setCode((await getCode(client, { address: wallet })) ?? '0x')
    const contribution = contributionOf(world, of, { owner })
    const data = contributionTypedData({ deployment, contribution, deadline: maxUint256 })
    const entry = { contribution, deadline: maxUint256, signature: await of.signTypedData(data) }
    await mineNothing(true)
    try {
      const sending = contributeBatch(client, { deployment, signed: [entry, good] })
      await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
      await setCode('0x')
      await mineNothing(false)
      const sent = await sending
      expect([sent.ids.length, sent.skipped, sent.notSigned]).toEqual([1, [], [0]])
      const [id = 0n] = sent.ids
      expect((await getContribution(client, { deployment, id })).owner).toBe(good.contribution.owner)
    } finally {
      await mineNothing(false)
    }
  })

  test('four accounts that gain code before it is mined leave out their own entries only', async () => {
    const { deployment, client } = world
    const { ContractWallet } = await oddTokens()
    const wallet = await deploy(client, ContractWallet, [world.account(5).address])
    const code = (await getCode(client, { address: wallet })) ?? '0x'
    const late = await Promise.all(Array.from({ length: 4 }, () => signed()))
    const good = await signed()
    await mineNothing(true)
    try {
      const sending = contributeBatch(client, { deployment, signed: [...late, good] })
      await expect.poll(waiting, { timeout: 20_000 }).toBe(1)
      for (const { contribution } of late) {
        await client.request({ method: 'anvil_setCode', params: [contribution.owner, code] } as never)
      }
      await mineNothing(false)
      const sent = await sending
      expect([sent.ids.length, sent.skipped, sent.notSigned]).toEqual([1, [], [0, 1, 2, 3]])
    } finally {
      await mineNothing(false)
    }
  })

  test('a contract wallet that does not confirm its signature is left out, and one that does is not', async () => {
    const { deployment, client } = world
    const [good, of] = [await signed(), world.account(5)]
    const { ContractWallet } = await oddTokens()
    const wallet = await deploy(client, ContractWallet, [of.address])
    const contribution = contributionOf(world, of, { owner: wallet })
    const data = contributionTypedData({ deployment, contribution, deadline: maxUint256 })
    const confirmed = { contribution, deadline: maxUint256, signature: await of.signTypedData(data) }
    const other = { ...confirmed, contribution: contributionOf(world, of, { owner: wallet }) }
    const sent = await contributeBatch(client, { deployment, signed: [other, good, confirmed] })
    expect([sent.ids.length, sent.skipped, sent.notSigned]).toEqual([2, [], [0]])
    expect((await getContribution(client, { deployment, id: sent.ids[1] ?? 0n })).owner).toBe(wallet)
    expect(await revertOf(contributeBatch(client, { deployment, signed: [other] }))).toBe(
      'ContributionSignatureInvalid',
    )
  })

  test('refuses an empty batch and one entry given twice', async () => {
    const { deployment, client } = world
    expect(await revertOf(contributeBatch(client, { deployment, signed: [] }))).toBe('BatchEmpty')
    const entry = await signed()
    // Whose nonce was used holds up no other: it is left out.
    const twice = await contributeBatch(client, { deployment, signed: [entry, entry] })
    expect(twice.ids).toHaveLength(1)
    expect(twice.skipped).toEqual([1])
    await expect(contributeBatch(client, { deployment, signed: [entry] })).rejects.toMatchObject({
      revert: { name: 'NonceUsed', args: [0n, entry.contribution.owner, entry.contribution.nonce] },
    })
  })
})

describe('recordVerdicts', () => {
  test('mints by score, adds points and lets the owner vote at once; refused ones get nothing', async () => {
    const { deployment, client, pool } = world
    const [accepted, refused] = [await offered(), await offered()]
    const before = await getPool(client, { pool: pool.pool })
    await record([
      verdictOn(accepted.id, 7_500),
      { contributionId: refused.id, score: 0, refused: true, verdictDigest: digest('no') },
    ])
    const account = accepted.owner.address
    expect(await getBalance(client, { token: pool.token, account })).toBe(7_500n)
    expect(await getVotes(client, { token: pool.token, account })).toBe(7_500n)
    expect(await getPoints(client, { pool: pool.pool, contributor: account })).toBe(7_500n)
    expect((await getPool(client, { pool: pool.pool })).totalPoints - before.totalPoints).toBe(7_500n)
    expect(await getBalance(client, { token: pool.token, account: refused.owner.address })).toBe(0n)
    expect(await getContribution(client, { deployment, id: accepted.id })).toMatchObject({
      state: 'Accepted',
      score: 7_500,
    })
    expect(await getContribution(client, { deployment, id: refused.id })).toMatchObject({
      state: 'Refused',
      score: 0,
    })
    expect(await getVerdict(client, { deployment, id: refused.id })).toMatchObject({
      refused: true,
      verdictDigest: digest('no'),
    })
    expect(await getVerdict(client, { deployment, id: 999_999n })).toBeNull()
  })

  test('counts once per contribution: neither the same statement nor a new one is paid again', async () => {
    const { id } = await offered()
    const entries = [verdictOn(id)]
    const { statement } = await record(entries)
    expect(await revertOf(record(entries, { statement }))).toBe('VerdictAlreadyRecorded')
    expect(await revertOf(record(entries))).toBe('VerdictAlreadyRecorded')
  })

  test('records the same contribution once, though it is in one batch twice', async () => {
    const { id, owner } = await offered()
    await record([verdictOn(id, 4_000), verdictOn(id, 4_000)])
    expect(await getPoints(world.client, { pool: world.pool.pool, contributor: owner.address })).toBe(4_000n)
    expect(await revertOf(record([verdictOn(id)]))).toBe('VerdictAlreadyRecorded')
  })

  test('refuses a verdict for another pool than the one the contribution was offered to', async () => {
    const { id } = await offered()
    const other = await world.foundPool('third')
    expect(await revertOf(record([verdictOn(id)], { pool: other.pool }))).toBe('ContributionOfOtherPool')
  })

  test('refuses a statement that says something else: score, contribution, pool, nonce, chain or registry', async () => {
    const { deployment, client, node, pool } = world
    const { id } = await offered()
    const entries = [verdictOn(id, 5_000)]
    const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool: pool.pool, entries })
    const proof = await prove(node, 'verdictBatch', context)
    const attempts = [
      { entries: [verdictOn(id, 5_001)], statement: proof },
      { entries: [verdictOn(id + 1n, 5_000)], statement: proof },
      { entries, statement: { ...proof, nonce: proof.nonce + 1n } },
      { entries, statement: { ...proof, digest: digest('other') } },
      { entries, statement: await prove(node, 'verdictBatch', { ...context, chainId: 1 }) },
      {
        entries,
        statement: await prove(node, 'verdictBatch', { ...context, registry: deployment.dataRegistry }),
      },
      { entries, statement: await prove(node, 'refinement', context) },
      { entries, statement: await prove(signer(), 'verdictBatch', context) },
    ]
    for (const attempt of attempts) {
      expect(await revertOf(recordVerdicts(client, { deployment, pool: pool.pool, ...attempt }))).toBe(
        'StatementSignerNotActive',
      )
    }
    const malformed = { ...proof, signature: proof.signature.slice(0, -2) as Hex }
    expect(
      await revertOf(recordVerdicts(client, { deployment, pool: pool.pool, entries, statement: malformed })),
    ).toBe('StatementSignatureInvalid')
    await recordVerdicts(client, { deployment, pool: pool.pool, entries, statement: proof })
  })

  test('refuses the other half of the curve: a signature has one form', async () => {
    const { deployment, client, node, pool } = world
    const { id } = await offered()
    const entries = [verdictOn(id)]
    const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool: pool.pool, entries })
    const proof = await prove(node, 'verdictBatch', context)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = (order - BigInt(`0x${proof.signature.slice(66, 130)}`)).toString(16).padStart(64, '0')
    const v = proof.signature.endsWith('1b') ? '1c' : '1b'
    const twisted = { ...proof, signature: `0x${proof.signature.slice(2, 66)}${s}${v}` as Hex }
    expect(
      await revertOf(recordVerdicts(client, { deployment, pool: pool.pool, entries, statement: twisted })),
    ).toBe('StatementSignatureInvalid')
  })

  test.each([
    ['a score above 10,000', { score: 10_001, refused: false }],
    ['a refusal with a score', { score: 1, refused: true }],
  ])('refuses %s', async (_, change) => {
    const { id } = await offered()
    expect(await revertOf(record([{ ...verdictOn(id), ...change }]))).toBe('ScoreInvalid')
  })

  test('refuses a contribution that does not exist', async () => {
    expect(await revertOf(record([verdictOn(999_999n)]))).toBe('ContributionUnknown')
  })

  test('a pool that demands a measurement hears no node that runs something else', async () => {
    const strict = await world.foundPool('strict', digest('another measurement'))
    expect(await revertOf(world.publishKey(strict, 1))).toBe('NodeNotAccepted')
  })
})

test('recordRefinement records a statement once', async () => {
  const { deployment, client, node, pool } = world
  const fields = { pool: pool.pool, schemaId: digest('schema'), rowsRoot: digest('rows') }
  const statement = await prove(
    node,
    'refinement',
    refinementContext({ deployment, nonce: nextNonce(), ...fields }),
  )
  await recordRefinement(client, { deployment, ...fields, statement })
  expect(await revertOf(recordRefinement(client, { deployment, ...fields, statement }))).toBe('StatementUsed')
  const other = { ...fields, rowsRoot: digest('other rows') }
  expect(await revertOf(recordRefinement(client, { deployment, ...other, statement }))).toBe(
    'StatementSignerNotActive',
  )
})

test('getContribution says when there is none', async () => {
  await expect(getContribution(world.client, { deployment: world.deployment, id: 0n })).rejects.toMatchObject(
    {
      code: 'NOT_FOUND',
    },
  )
})
