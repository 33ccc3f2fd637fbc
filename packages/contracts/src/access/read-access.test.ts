import {
  type Address,
  type Client,
  createClient,
  createWalletClient,
  custom,
  encodeFunctionData,
  type Hex,
  http,
  keccak256,
  pad,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { getBlockNumber, getCode } from 'viem/actions'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { send } from '../action/transaction.js'
import { type Devnet, startDevnet } from '../devnet/index.js'
import { type Compiled, compiledFrom, deploy } from '../testing/compiled.js'
import { chainThat } from '../testing/scripted-chain.js'
import { createChainView } from '../view/chain-view.js'
import { type AccessCondition, maximumAccessQuestions, parseAccessCondition } from './access-condition.js'
import { type AccessDecision, decideAccess, readAccess } from './read-access.js'

let devnet: Devnet
let client: Client
let compiled: Record<string, Compiled>
let wallet: Address
const stranger: Address = `0x${'77'.repeat(20)}`
const code: Hex = `0x${'5c'.repeat(32)}`
const at = {} as Record<'Coin' | 'Badges' | 'Passes' | 'Roles' | 'Identity', Address>

beforeAll(async () => {
  devnet = await startDevnet()
  const account = privateKeyToAccount(devnet.accounts[0]?.privateKey ?? '0x')
  client = createWalletClient({ account, chain: foundry, transport: http(devnet.rpcUrl) })
  wallet = account.address
  compiled = await compiledFrom('test/stand-in/Membership.sol')
  for (const name of ['Coin', 'Badges', 'Passes', 'Roles', 'Identity'] as const)
    at[name] = await deploy(client, compiled[name])
}, 120_000)
afterAll(() => devnet.stop())

async function change(name: keyof typeof at, functionName: string, args: readonly unknown[]): Promise<void> {
  const data = encodeFunctionData({ abi: compiled[name]?.abi ?? [], functionName, args })
  await send(client, functionName, { to: at[name], data }, {})
}

const sources = (): readonly [Client, Client] => {
  const one = () => createClient({ transport: http(devnet.rpcUrl) })
  return [one(), one()] as const
}
const viewOf = (pair: readonly [Client, Client], confirmations = 0) =>
  createChainView({
    sources: pair,
    chainId: devnet.chainId,
    confirmations,
    maximumAge: Number.MAX_SAFE_INTEGER,
    now: () => 0,
  })

async function decided(
  json: AccessCondition,
  { view = viewOf(sources()), who = wallet }: { view?: ReturnType<typeof viewOf>; who?: Address } = {},
): Promise<AccessDecision> {
  const condition = parseAccessCondition(json)
  const subject = { wallet: who, code }
  const reading = await view.read((one, blockNumber) =>
    readAccess(one, { condition, ...subject, blockNumber }),
  )
  return decideAccess(condition, subject, reading)
}
const verdict = async (...asked: Parameters<typeof decided>) => (await decided(...asked)).verdict

const role = keccak256('0x726f6c65')
const members: readonly {
  readonly name: string
  readonly condition: () => AccessCondition
  readonly add: () => Promise<void>
  readonly remove: () => Promise<void>
}[] = [
  {
    name: 'holders of an ERC-20',
    condition: () => ({ erc20: { contract: at.Coin, minimum: '10' } }),
    add: () => change('Coin', 'mint', [wallet, 10n]),
    remove: () => change('Coin', 'burn', [wallet, 1n]),
  },
  {
    name: 'holders of any piece of an ERC-721',
    condition: () => ({ erc721: { contract: at.Badges, minimum: '1' } }),
    add: () => change('Badges', 'mint', [wallet, 1n]),
    remove: () => change('Badges', 'burn', [1n]),
  },
  {
    name: 'the holder of one piece of an ERC-721',
    condition: () => ({
      // A burnt piece is nobody's: OpenZeppelin's contract then refuses to answer.
      all: [{ erc721: { contract: at.Badges, id: '7' } }],
    }),
    add: () => change('Badges', 'mint', [wallet, 7n]),
    remove: () => change('Badges', 'transferFrom', [wallet, stranger, 7n]),
  },
  {
    name: 'holders of a kind of an ERC-1155',
    condition: () => ({ erc1155: { contract: at.Passes, id: '3', minimum: '2' } }),
    add: () => change('Passes', 'mint', [wallet, 3n, 2n]),
    remove: () => change('Passes', 'burn', [wallet, 3n, 1n]),
  },
  {
    name: 'those with a role (AccessControl)',
    condition: () => ({ accessControl: { contract: at.Roles, role } }),
    add: () => change('Roles', 'grantRole', [role, wallet]),
    remove: () => change('Roles', 'revokeRole', [role, wallet]),
  },
  {
    name: 'keys of an ERC-734, padded',
    condition: () => ({ erc734: { contract: at.Identity, purpose: '4', key: 'address' } }),
    add: () => change('Identity', 'setKey', [pad(wallet), 4n, true]),
    remove: () => change('Identity', 'setKey', [pad(wallet), 4n, false]),
  },
  {
    name: 'keys of an ERC-734, hashed',
    condition: () => ({ erc734: { contract: at.Identity, purpose: '4', key: 'address-hash' } }),
    add: () => change('Identity', 'setKey', [keccak256(pad(wallet)), 4n, true]),
    remove: () => change('Identity', 'setKey', [keccak256(pad(wallet)), 4n, false]),
  },
  {
    name: 'apps of an ERC-734',
    condition: () => ({ erc734: { contract: at.Identity, purpose: '9', key: 'code' } }),
    add: () => change('Identity', 'setKey', [code, 9n, true]),
    remove: () => change('Identity', 'setKey', [code, 9n, false]),
  },
]

describe('membership on a chain', () => {
  test.each(members)('$name: who comes is let in at the next block, who goes is not', async (list) => {
    const met = () => verdict(list.condition())
    const denied = () => verdict({ not: list.condition() })
    expect(await met()).not.toBe('yes')
    await list.add()
    expect([await met(), await denied()]).toEqual(['yes', 'no'])
    await list.remove()
    expect([await met(), await denied()]).toEqual(['no', 'yes'])
  })

  test('counts at the block that is believed: under confirmations, later', async () => {
    const condition = { accessControl: { contract: at.Roles, role: keccak256('0x01') } }
    const view = viewOf(sources(), 2)
    await change('Roles', 'grantRole', [keccak256('0x01'), wallet])
    expect([await verdict(condition, { view }), await verdict(condition)]).toEqual(['no', 'yes'])
    await devnet.advanceTime(1)
    expect(await verdict(condition, { view })).toBe('no')
    await devnet.advanceTime(1)
    expect(await verdict(condition, { view })).toBe('yes')
  })

  test('is of the wallet that is asked for', async () => {
    await change('Coin', 'mint', [wallet, 100n])
    const condition = { erc20: { contract: at.Coin, minimum: '50' } }
    expect([await verdict(condition), await verdict(condition, { who: stranger })]).toEqual(['yes', 'no'])
    expect(await verdict({ wallets: [wallet] })).toBe('yes')
    expect(await verdict({ wallets: [wallet] }, { who: stranger })).toBe('no')
  })

  test('follows the time of the block, its end not included', async () => {
    const reading = await viewOf(sources()).read((one, blockNumber) =>
      readAccess(one, { condition: { wallets: [wallet] }, wallet, code, blockNumber }),
    )
    const { timestamp: now } = reading.block
    expect(await verdict({ time: { from: now } })).toBe('yes')
    expect(await verdict({ time: { from: now + 1 } })).toBe('no')
    expect(await verdict({ time: { until: now + 1 } })).toBe('yes')
    expect(await verdict({ time: { until: now } })).toBe('no')
  })

  test('compares code: of a contract, and of the consumer’s account', async () => {
    const hash = keccak256((await getCode(client, { address: at.Coin })) ?? '0x')
    expect(await verdict({ codeHash: { contract: at.Coin, hash } })).toBe('yes')
    expect(await verdict({ codeHash: { contract: at.Badges, hash } })).toBe('no')
    expect(await verdict({ codeHash: { contract: 'consumer', hash } }, { who: at.Coin })).toBe('yes')
    expect(await verdict({ codeHash: { contract: 'consumer', hash } })).toBe('no')
  })

  test('is unknown where a job has no code of its own', async () => {
    const condition: AccessCondition = { erc734: { contract: at.Identity, purpose: '9', key: 'code' } }
    const subject = { wallet, code: null }
    const reading = await viewOf(sources()).read((one, blockNumber) =>
      readAccess(one, { condition, ...subject, blockNumber }),
    )
    expect(reading.answers).toEqual([null])
    expect(decideAccess(condition, subject, reading).verdict).toBe('unknown')
    expect(decideAccess({ not: condition }, subject, reading).verdict).toBe('unknown')
  })
})

/** What a hostile contract does, in the order of its constructor. */
const moods = [
  'Reverts',
  'Loops',
  'Floods',
  'Two',
  'Short',
  'Long',
  'BombsRevert',
  'Invalid',
  'Writes',
  'RevertsWord',
]

describe('a contract that does not answer as it should', () => {
  test.each(moods.map((name, mood) => [name, mood] as const))(
    '(%s) lets nobody in, under not neither, and keeps no other answer back',
    async (name, mood) => {
      const contract = await deploy(client, compiled['Hostile'], [mood])
      await change('Identity', 'setKey', [code, 11n, true])
      const flag: AccessCondition = { accessControl: { contract, role } }
      const good: AccessCondition = { erc734: { contract: at.Identity, purpose: '11', key: 'code' } }
      expect(await verdict(flag)).toBe('unknown')
      expect(await verdict({ not: flag })).toBe('unknown')
      expect(await verdict({ erc721: { contract, id: '1' } })).toBe(name === 'Two' ? 'no' : 'unknown')
      expect(await verdict({ all: [flag, good] })).toBe('unknown')
      expect(await verdict({ any: [flag, good] })).toBe('yes')
      // 32 bytes are an amount, whatever was meant by them.
      const amount = await verdict({ erc20: { contract, minimum: '2' } })
      expect(amount).toBe(name === 'Two' ? 'yes' : 'unknown')
    },
  )

  test('and as many of them as a condition may have cost what they may, and no more', async () => {
    const contract = await deploy(client, compiled['Hostile'], [moods.indexOf('Floods')])
    const flags = Array<AccessCondition>(maximumAccessQuestions - 1).fill({
      accessControl: { contract, role },
    })
    const good: AccessCondition = { erc20: { contract: at.Coin, minimum: '1' } }
    await change('Coin', 'mint', [wallet, 1n])
    expect(await verdict({ any: [...flags, good] })).toBe('yes')
  })

  test('is no contract: no account, a plain one, one of the chain’s own', async () => {
    for (const contract of [stranger, wallet, `0x${'00'.repeat(19)}02`] as const) {
      expect(await verdict({ erc20: { contract, minimum: '1' } })).toBe('unknown')
      expect(await verdict({ not: { accessControl: { contract, role } } })).toBe('unknown')
    }
  })
})

describe('an endpoint that lies', () => {
  /** A source that puts another answer in the place of what the chain says. */
  function lying(forge: (method: string, answer: unknown) => unknown): Client {
    const { transport } = createClient({ transport: http(devnet.rpcUrl) })
    const request = async (asked: { method: string; params?: unknown }) =>
      forge(asked.method, await transport.request(asked))
    return createClient({ transport: custom({ request }, { retryCount: 0 }) })
  }
  const answerOf = (word: string) => (method: string, answer: unknown) =>
    method === 'eth_call' ? String(answer).replace(/0{63}0(?=[0-9a-f]{64}$)/, word) : answer

  test('is found out by the other one, and nothing is decided', async () => {
    const condition: AccessCondition = { erc20: { contract: at.Coin, minimum: '500' } }
    const [honest] = sources()
    const forged = lying(answerOf('f'.repeat(64)))
    const believed = await readAccess(forged, {
      condition,
      wallet: stranger,
      code,
      blockNumber: await getBlockNumber(client, { cacheTime: 0 }),
    })
    // Alone it would be believed: the forgery is one.
    expect(decideAccess(condition, { wallet: stranger, code }, believed).verdict).toBe('yes')
    for (const pair of [
      [honest, forged],
      [forged, honest],
    ] as const)
      await expect(verdict(condition, { view: viewOf(pair), who: stranger })).rejects.toMatchObject({
        code: 'CHAIN_DISAGREES',
      })
    // Also a lie that would not change the verdict.
    const small = lying(answerOf('1'.padStart(64, '0')))
    await expect(verdict(condition, { view: viewOf([honest, small]), who: stranger })).rejects.toMatchObject({
      code: 'CHAIN_DISAGREES',
    })
  })

  test.each<[string, (method: string, answer: unknown) => unknown]>([
    ['fails', (method, answer) => (method === 'eth_call' ? Promise.reject(new Error('busy')) : answer)],
    ['answers nothing', (method, answer) => (method === 'eth_call' ? '0x' : answer)],
    ['answers garbage', (method, answer) => (method === 'eth_call' ? `0x${'ff'.repeat(64)}` : answer)],
    ['answers too little', (method, answer) => (method === 'eth_call' ? `${answer}`.slice(0, 100) : answer)],
    [
      'answers an empty list',
      (method, answer) =>
        method === 'eth_call' ? `0x${'20'.padStart(64, '0')}${''.padStart(64, '0')}` : answer,
    ],
  ])('or %s decides nothing: it is no refusal of the contract', async (_, forge) => {
    const view = viewOf([lying(forge), lying(forge)])
    const condition: AccessCondition = { not: { erc20: { contract: at.Coin, minimum: '1' } } }
    await expect(verdict(condition, { view })).rejects.toMatchObject({ code: 'CHAIN_UNREACHABLE' })
  })

  test('or gives less gas than is asked for decides nothing: no answer is for want of gas', async () => {
    const { transport } = createClient({ transport: http(devnet.rpcUrl) })
    const request = async ({ method, params }: { method: string; params?: unknown }) => {
      const [first, ...more] = Array.isArray(params) ? params : []
      const less = method === 'eth_call' ? [{ ...first, gas: '0x70000' }, ...more] : params
      return transport.request({ method, params: less })
    }
    const mean = (): Client => createClient({ transport: custom({ request }, { retryCount: 0 }) })
    const contract = await deploy(client, compiled['Hostile'], [moods.indexOf('Loops')])
    const condition: AccessCondition = {
      any: [{ accessControl: { contract, role } }, { erc20: { contract: at.Coin, minimum: '1' } }],
    }
    await expect(verdict(condition, { view: viewOf([mean(), mean()]) })).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
    })
  })

  test('or is not there is told from a contract that refuses', async () => {
    const asked = { condition: parseAccessCondition({ wallets: [stranger] }), wallet, code, blockNumber: 1n }
    for (const wrong of [{ wallet: '0x12' }, { code: '0x12' }] as const) {
      await expect(readAccess(client, { ...asked, ...wrong })).rejects.toMatchObject({
        code: 'ARGUMENT_INVALID',
      })
    }
    await expect(readAccess(chainThat({}), asked)).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
      place: 'readAccess',
    })
  })
})
