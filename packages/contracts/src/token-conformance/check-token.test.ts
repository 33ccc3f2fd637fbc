import { type Address, encodeErrorResult, parseAbi, parseEther, zeroAddress } from 'viem'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { contribute, recordVerdicts } from '../action/index.js'
import { getVesting, releaseVested } from '../action/vesting.js'
import { foundPool } from '../deploy/index.js'
import { verdictBatchContext } from '../statement/index.js'
import { type Compiled, compiledFrom, deploy } from '../testing/compiled.js'
import { chainThat } from '../testing/scripted-chain.js'
import {
  contributionOf,
  createWorld,
  digest,
  nextNonce,
  prove,
  revertOf,
  type World,
} from '../testing/world.js'
import { type CheckTokenOptions, checkToken, type TokenReport } from './check-token.js'
import { codeFactsOf } from './function-selectors.js'

let world: World
let compiled: Record<string, Compiled>
beforeAll(async () => {
  world = await createWorld()
  compiled = await compiledFrom('test/stand-in/Tokens.sol')
  // The compiler takes seconds, and minutes where many share the machine.
}, 240_000)
afterAll(() => world.devnet.stop())

const failing = ({ findings }: TokenReport) =>
  findings
    .flatMap(({ rule, holds }) => (holds === true ? [] : [`${rule}${holds === null ? '?' : ''}`]))
    .sort()
const reasonOf = ({ findings }: TokenReport, rule: string) =>
  findings.find((finding) => finding.rule === rule)?.reason

async function check(name: string, args: unknown[] = [], options: Partial<CheckTokenOptions> = {}) {
  const token = await deploy(world.client, compiled[name], args)
  return checkToken(world.client, { token, holder: world.deployer.address, ...options })
}

/** A contributor with tokens of the world's pool. */
async function member(): Promise<Address> {
  const { deployment, pool, client, deployer, node } = world
  const { id } = await contribute(client, { deployment, contribution: contributionOf(world, deployer) })
  const entries = [{ contributionId: id, score: 5_000, refused: false, verdictDigest: digest('verdict') }]
  const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool: pool.pool, entries })
  await recordVerdicts(client, {
    deployment,
    pool: pool.pool,
    entries,
    statement: await prove(node, 'verdictBatch', context),
  })
  return deployer.address
}

describe('what conforms', () => {
  test("a pool's own token, with everything named", async () => {
    const holder = await member()
    const { deployment, client } = world
    const report = await checkToken(client, { token: world.pool.token, deployment, holder })
    expect(failing(report)).toEqual([])
    expect(report.conforms).toBe(true)
    expect(reasonOf(report, 'minting')).toContain('a pool of this deployment mints')
    expect(reasonOf(report, 'capped')).toContain(parseEther('1000000000').toString())
  })

  test('a fixed supply with permit and votes, even without a deployment', async () => {
    const report = await check('FixedToken')
    expect(failing(report)).toEqual([])
    expect(reasonOf(report, 'minting')).toContain('no function of the code')
  })
})

describe('what does not, each rule by itself', () => {
  test('a mintable token is flagged, with who owns it', async () => {
    const report = await check('MintableToken')
    expect(failing(report)).toEqual(['minting', 'owner'])
    expect(report.conforms).toBe(false)
    expect(reasonOf(report, 'minting')).toBe(
      `tokens can be minted by mint(address,uint256); its owner is ${world.deployer.address}`,
    )
    expect(reasonOf(report, 'owner')).toContain('without a time lock')
  })

  test("a pool's token is mintable for who does not know the pool, and an impostor for who does", async () => {
    const { deployment, client } = world
    expect(failing(await checkToken(client, { token: world.pool.token }))).toEqual([
      'minting',
      'transferFee?',
    ])
    // It says that the genuine pool mints it; the pool does not say so.
    const impostor = await check('ImpostorToken', [world.pool.pool], { deployment })
    expect(failing(impostor)).toContain('minting')
    const stranger = await check('ImpostorToken', [world.deployer.address], { deployment })
    expect(failing(stranger)).toContain('minting')
    expect(client).toBe(world.client)
  })

  test('a fee is measured, and compared with what is allowed', async () => {
    expect(failing(await check('FeeToken', [250n]))).toEqual(['transferFee'])
    expect(reasonOf(await check('FeeToken', [250n]), 'transferFee')).toContain('250 of 10,000')
    expect(failing(await check('FeeToken', [250n], { maximumFeeBps: 300 }))).toEqual([])
    expect(failing(await check('FeeToken', [301n], { maximumFeeBps: 300 }))).toEqual(['transferFee'])
    expect(failing(await check('FeeToken', [10_000n]))).toEqual(['transferFee'])
  })

  test('a holder who has nothing, or cannot transfer, shows no transfer', async () => {
    expect(failing(await check('FixedToken', [], { holder: zeroAddress }))).toEqual(['transferFee?'])
    const stuck = await check('StuckToken')
    expect(failing(stuck)).toEqual(['transferFee'])
    expect(reasonOf(stuck, 'transferFee')).toContain('cannot transfer')
  })

  test('pause, block list, roles, proxies and delegated code', async () => {
    expect(failing(await check('PausableToken'))).toEqual(['minting?', 'pause'])
    expect(failing(await check('BlockingToken'))).toEqual(['blockList', 'minting?'])
    expect(failing(await check('RoleToken'))).toEqual(['owner'])
    expect(failing(await check('DelegatingToken'))).toContain('upgrade')
    const logic = await deploy(world.client, compiled['FixedToken'])
    const proxy = await check('ProxyToken', [logic])
    expect(failing(proxy)).toContain('upgrade')
    expect(reasonOf(proxy, 'upgrade')).toContain('EIP-1967')
    const minimal = await deploy(world.client, {
      abi: [],
      bytecode: `0x3d602d80600a3d3981f3363d3d373d3d3d363d73${logic.slice(2)}5af43d82803e903d91602b57fd5bf3`,
    })
    const clone = await checkToken(world.client, { token: minimal })
    expect(reasonOf(clone, 'upgrade')).toContain('EIP-1167')
  })

  test('what is missing is named', async () => {
    const report = await check('BareToken')
    expect(failing(report)).toEqual(['burnable', 'capped', 'erc20', 'permit', 'votes'])
    expect(reasonOf(report, 'erc20')).toBe('no answer to name, symbol, decimals')
    expect(reasonOf(report, 'capped')).toBe('there is no cap()')
    expect(failing(await check('OverfullToken'))).toEqual(['capped'])
  })

  test('a time lock that owns a token must be long enough', async () => {
    const short = await deploy(world.client, compiled['Lock'], [3_600n])
    const long = await deploy(world.client, compiled['Lock'], [172_800n])
    expect(failing(await check('OwnedToken', [short]))).toEqual(['owner'])
    expect(failing(await check('OwnedToken', [long]))).toEqual([])
    expect(failing(await check('OwnedToken', [short], { minimumDelay: 3_600n }))).toEqual([])
  })

  test('nothing at an address is an error', async () => {
    await expect(checkToken(world.client, { token: world.deployer.address })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})

describe('vesting', () => {
  test('a schedule is read, pays what is due and is long enough or not', async () => {
    const { deployment, client, devnet } = world
    const beneficiary = world.account(8).address
    const startsAt = await world.now()
    const day = 86_400n
    const rules = {
      policyDigest: digest('policy'),
      pocDigest: digest('poc'),
      refinerDigest: digest('refiner'),
    }
    const { token, schedules } = await foundPool(client, {
      deployment,
      name: 'team',
      symbol: 'TEAM',
      ...rules,
      maximumSupply: 2_000n,
      allocations: [
        { beneficiary, amount: 1_000n, startsAt, cliff: 180n * day, duration: 360n * day },
        { beneficiary, amount: 500n, startsAt, duration: 360n * day },
      ],
    })
    const [long, short] = schedules
    if (long === undefined || short === undefined) throw new Error('two allocations give two schedules')
    expect(long).toMatchObject({ beneficiary, amount: 1_000n, cliff: 180n * day, duration: 360n * day })
    const one = { schedule: long.schedule, token }
    expect(await getVesting(client, one)).toEqual({
      beneficiary,
      startsAt,
      cliffAt: startsAt + 180n * day,
      endsAt: startsAt + 360n * day,
      released: 0n,
      releasable: 0n,
    })
    const options = { token, deployment, schedules: [long.schedule] }
    expect(failing(await checkToken(client, options))).toEqual(['transferFee?'])
    expect(failing(await checkToken(client, { ...options, schedules: [short.schedule] }))).toContain(
      'vesting',
    )
    expect(failing(await checkToken(client, { ...options, minimumDuration: 361n * day }))).toContain(
      'vesting',
    )
    await devnet.advanceTime(Number(270n * day))
    await releaseVested(client, one)
    const later = await getVesting(client, one)
    expect(later.released).toBe(750n)
    expect(await revertOf(getVesting(client, { schedule: world.pool.pool, token }))).toBe('Unknown')
  })

  test('what does not fit is refused by name', async () => {
    const { deployment, client, deployer } = world
    const rules = {
      policyDigest: digest('policy'),
      pocDigest: digest('poc'),
      refinerDigest: digest('refiner'),
    }
    const allocation = { beneficiary: deployer.address, amount: 11n, startsAt: 0n, duration: 10n }
    const found = (change: object) =>
      revertOf(
        foundPool(client, { deployment, name: 'x', symbol: 'X', ...rules, maximumSupply: 10n, ...change }),
      )
    expect(await found({ allocations: [allocation] })).toBe('SupplyCapInvalid')
    expect(await found({ maximumSupply: 2n ** 96n })).toBe('SupplyCapInvalid')
    expect(await found({ allocations: [{ ...allocation, amount: 0n }] })).toBe('AllocationInvalid')
    expect(await found({ allocations: [{ ...allocation, amount: 1n, cliff: 11n }] })).toBe(
      'InvalidCliffDuration',
    )
    expect(await found({ allocations: [{ ...allocation, amount: 1n, beneficiary: zeroAddress }] })).toBe(
      'OwnableInvalidOwner',
    )
  })
})

test('selectors are read from instructions, not from what is pushed', () => {
  // PUSH4 a9059cbb; PUSH5 with a PUSH4 inside; PUSH3 (a selector that begins with zeros); DELEGATECALL inside a push.
  const { selectors, dispatched, delegates } = codeFactsOf('0x63a9059cbb80146463112233446201020360f4')
  expect([...selectors]).toEqual(['0xa9059cbb', '0x00010203', '0x000000f4'])
  expect([...dispatched]).toEqual(['0xa9059cbb'])
  expect(codeFactsOf('0x63a9059cbb60e01b14').dispatched.size).toBe(0)
  expect(delegates).toBe(false)
  expect(codeFactsOf('0x63a905').selectors.size).toBe(0)
  expect(codeFactsOf('0xf4').delegates).toBe(true)
  // What a compiler appends is data: a CBOR map and its length. Without one, the same bytes are code.
  expect(codeFactsOf('0x00a1f40002').delegates).toBe(false)
  expect(codeFactsOf('0x00b1f40002').delegates).toBe(true)
})

test('a contract that refers to an address (ERC-3668) has nothing fetched', async () => {
  const token = `0x${'ab'.repeat(20)}` as const
  const data = encodeErrorResult({
    abi: parseAbi(['error OffchainLookup(address, string[], bytes, bytes4, bytes)']),
    args: [token, ['http://127.0.0.1:9/{sender}'], '0x', '0x00000000', '0x'],
  })
  const client = chainThat({
    eth_getCode: '0x6001',
    eth_getStorageAt: `0x${'00'.repeat(32)}`,
    eth_call: () => {
      throw Object.assign(new Error('execution reverted'), { code: 3, data })
    },
  })
  const fetched = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('nothing is to be fetched'))
  try {
    const { conforms } = await checkToken(client, { token })
    expect(conforms).toBe(false)
    expect(fetched).not.toHaveBeenCalled()
  } finally {
    fetched.mockRestore()
  }
})
