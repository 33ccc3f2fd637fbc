import {
  type Address,
  type Client,
  createClient,
  custom,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  isAddressEqual,
  parseAbi,
  zeroAddress,
} from 'viem'
import { call, getCode, getStorageAt, readContract } from 'viem/actions'
import { poolAbi } from '../abi/Pool.js'
import { poolFactoryAbi } from '../abi/PoolFactory.js'
import { transferProbeAbi, transferProbeCode } from '../abi/TransferProbe.js'
import { reading } from '../action/transaction.js'
import { getVesting } from '../action/vesting.js'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'
import { type CodeFacts, codeFactsOf, selectorsOf } from './function-selectors.js'

/** What a token of a data pool must be (the rules of VRC-20 that a chain can show, and ours). */
export type TokenRule =
  | 'blockList'
  | 'burnable'
  | 'capped'
  | 'erc20'
  | 'minting'
  | 'owner'
  | 'pause'
  | 'permit'
  | 'transferFee'
  | 'upgrade'
  | 'vesting'
  | 'votes'

/** One rule, and whether it holds. */
export interface TokenFinding {
  readonly rule: TokenRule
  /** `null`: it could not be established, which is not a pass. */
  readonly holds: boolean | null
  readonly reason: string
}

/** All findings on a token. */
export interface TokenReport {
  readonly token: Address
  /** Whether every rule was found to hold. */
  readonly conforms: boolean
  readonly findings: readonly TokenFinding[]
}

/** What to check a token against. */
export interface CheckTokenOptions {
  readonly token: Address
  /** Somebody with a balance: a transfer of it is simulated. Default: nobody, and fees stay unknown. */
  readonly holder?: Address
  /** When given, a token that a pool of this deployment mints is recognised. */
  readonly deployment?: Pick<Deployment, 'poolFactory'>
  /** Schedules of the team's tokens. */
  readonly schedules?: readonly Address[]
  /** Most that a transfer may cost, in 1/10,000; default 0. VRC-20 allows 300. */
  readonly maximumFeeBps?: number
  /** Least delay of a timelock that owns the token, seconds; default 48 hours, as in VRC-20. */
  readonly minimumDelay?: bigint
  /** Least cliff and duration of a schedule, seconds; default 180 and 360 days, as in VRC-20. */
  readonly minimumCliff?: bigint
  readonly minimumDuration?: bigint
}

const HOURS_48 = 172_800n
const DAYS_180 = 15_552_000n

const tokenAbi = /* @__PURE__ */ parseAbi([
  'function name() view returns (string)',
  'function symbol() view returns (string)',
  'function decimals() view returns (uint8)',
  'function totalSupply() view returns (uint256)',
  'function balanceOf(address) view returns (uint256)',
  'function cap() view returns (uint256)',
  'function owner() view returns (address)',
  'function pool() view returns (address)',
  'function getMinDelay() view returns (uint256)',
  'function supportsInterface(bytes4) view returns (bool)',
  'function DOMAIN_SEPARATOR() view returns (bytes32)',
  'function nonces(address) view returns (uint256)',
  'function clock() view returns (uint48)',
  'function getVotes(address) view returns (uint256)',
])

const minting = selectorsOf([
  'mint(address,uint256)',
  'mint(uint256)',
  'mint(address,uint256,bytes)',
  'mintTo(address,uint256)',
  'mintRewards(address[],uint256[])',
  'issue(uint256)',
  'issue(address,uint256)',
  'issue(address,uint256,bytes)',
  'crosschainMint(address,uint256)',
  'batchMint(address[],uint256[])',
])
const pausing = selectorsOf(['pause()', 'setPaused(bool)', 'freeze()', 'stop()'])
const blocking = selectorsOf([
  'blockAddress(address)',
  'blacklist(address)',
  'addBlackList(address)',
  'setBlacklist(address,bool)',
  'setBlocked(address,bool)',
  'freeze(address)',
  'freezeAccount(address,bool)',
])
const burning = selectorsOf(['burn(uint256)'])

/** Functions whose names promise nothing that these rules forbid. */
const harmless = selectorsOf([
  ...['name()', 'symbol()', 'decimals()', 'totalSupply()', 'balanceOf(address)', 'cap()', 'version()'],
  ...['transfer(address,uint256)', 'transferFrom(address,address,uint256)', 'approve(address,uint256)'],
  ...[
    'allowance(address,address)',
    'increaseAllowance(address,uint256)',
    'decreaseAllowance(address,uint256)',
  ],
  ...[
    'burn(uint256)',
    'burnFrom(address,uint256)',
    'DOMAIN_SEPARATOR()',
    'eip712Domain()',
    'nonces(address)',
  ],
  ...['permit(address,address,uint256,uint256,uint8,bytes32,bytes32)', 'clock()', 'CLOCK_MODE()'],
  ...['delegates(address)', 'delegate(address)', 'getVotes(address)', 'getPastVotes(address,uint256)'],
  ...['delegateBySig(address,uint256,uint256,uint8,bytes32,bytes32)', 'getPastTotalSupply(uint256)'],
  ...['numCheckpoints(address)', 'checkpoints(address,uint32)', 'supportsInterface(bytes4)', 'owner()'],
])

/** EIP-1967: keccak256 of `eip1967.proxy.implementation` and `.beacon`, less one. */
const PROXY_SLOTS: readonly Hex[] = [
  '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc',
  '0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50',
]

/**
 * Checks a deployed token against the rules of a pool's token, and says of each why it holds or not. It reads code, storage
 * and views, and simulates a transfer; it sends nothing. A contract that answers a view falsely is believed in that view;
 * what its code could do is read from its code.
 *
 * @param client - a viem client on the token's chain
 * @param options - the token, what helps to judge it, and the limits: see {@link CheckTokenOptions}
 * @returns one finding for each rule, for `vesting` one for each schedule given, and whether all of them hold
 * @throws {ContractsError} `NOT_FOUND` when there is no contract at the address; `CHAIN_UNREACHABLE`.
 * @example
 * const { conforms, findings } = await checkToken(client, { token: pool.token, deployment, holder })
 */
export async function checkToken(client: Client, options: CheckTokenOptions): Promise<TokenReport> {
  return checkThrough(withoutReferrals(client), options)
}

/** A viem client fetches what a contract refers it to (ERC-3668): a contract that is to be judged could have any address fetched. */
function withoutReferrals(client: Client): Client {
  const { chain } = client
  const transport = custom({ request: client.request }, { retryCount: 0 })
  return createClient({ transport, ccipRead: false, ...(chain === undefined ? {} : { chain }) })
}

async function checkThrough(client: Client, options: CheckTokenOptions): Promise<TokenReport> {
  const { token } = options
  const code = await reading('checkToken', () => getCode(client, { address: token }))
  if (code === undefined || code === '0x') {
    throw new ContractsError('NOT_FOUND', 'checkToken', `there is no contract at ${token}`)
  }
  const facts = codeFactsOf(code)
  const ask = asker(client, token)
  const findings = await Promise.all([
    standard(ask, 'erc20', 'ERC-20 with metadata', ['name', 'symbol', 'decimals', 'totalSupply']),
    standard(ask, 'permit', 'ERC-2612 permits', ['DOMAIN_SEPARATOR', 'nonces']),
    standard(ask, 'votes', 'ERC-5805 votes', ['clock', 'getVotes']),
    found(
      'burnable',
      namesIn(facts, burning).length > 0,
      'burn(uint256) is there',
      'there is no burn(uint256)',
    ),
    capped(ask),
    mintingOf(client, options, facts, ask),
    upgrade(client, token, code, facts),
    owner(client, options, ask),
    absent('pause', facts, pausing, 'transfers can be stopped by'),
    absent('blockList', facts, blocking, 'holders can be shut out by'),
    transferFee(client, options),
    ...(options.schedules ?? []).map((schedule) => vesting(client, schedule, options)),
  ])
  return { token, conforms: findings.every(({ holds }) => holds === true), findings }
}

type View = Extract<(typeof tokenAbi)[number], { type: 'function' }>['name']
type Ask = (name: View, args?: readonly unknown[]) => Promise<unknown>

/** Asks a view; `undefined` when the contract does not answer it. A chain that does not answer is an error. */
function asker(client: Client, address: Address): Ask {
  return async (functionName, args = []) => {
    try {
      return await reading(functionName, () =>
        readContract(client, { address, abi: tokenAbi, functionName, args } as never),
      )
    } catch (error) {
      if (error instanceof ContractsError && error.code === 'CHAIN_UNREACHABLE') throw error
      return undefined
    }
  }
}

function found(rule: TokenRule, holds: boolean, yes: string, no: string): TokenFinding {
  return { rule, holds, reason: holds ? yes : no }
}

function namesIn(facts: CodeFacts, names: ReadonlyMap<Hex, string>): string[] {
  return [...names].flatMap(([selector, name]) => (facts.selectors.has(selector) ? [name] : []))
}

async function standard(
  ask: Ask,
  rule: TokenRule,
  what: string,
  views: readonly View[],
): Promise<TokenFinding> {
  const withAccount = new Set<View>(['nonces', 'getVotes', 'balanceOf'])
  const answers = await Promise.all(
    views.map((view) => ask(view, withAccount.has(view) ? [zeroAddress] : [])),
  )
  const missing = views.filter((_, index) => answers[index] === undefined)
  return found(rule, missing.length === 0, what, `no answer to ${missing.join(', ')}`)
}

async function capped(ask: Ask): Promise<TokenFinding> {
  const [cap, supply] = [await ask('cap'), await ask('totalSupply')]
  if (typeof cap !== 'bigint' || typeof supply !== 'bigint') {
    return { rule: 'capped', holds: false, reason: 'there is no cap()' }
  }
  return found(
    'capped',
    supply <= cap,
    `at most ${cap}, now ${supply}`,
    `the supply ${supply} is above the cap ${cap}`,
  )
}

async function mintingOf(
  client: Client,
  { token, deployment }: CheckTokenOptions,
  facts: CodeFacts,
  ask: Ask,
): Promise<TokenFinding> {
  const rule = 'minting'
  if (deployment !== undefined && (await isPoolToken(client, token, deployment.poolFactory, ask))) {
    return {
      rule,
      holds: true,
      reason: 'a pool of this deployment mints, for recorded verdicts, up to the cap',
    }
  }
  const names = namesIn(facts, minting)
  if (names.length > 0) {
    const by = await ask('owner')
    const who = typeof by === 'string' && by !== zeroAddress ? `; its owner is ${by}` : ''
    return { rule, holds: false, reason: `tokens can be minted by ${names.join(', ')}${who}` }
  }
  const unknown = [...facts.dispatched].filter((value) => !harmless.has(value))
  if (facts.dispatched.size > 0 && unknown.length === 0)
    return { rule, holds: true, reason: 'no function of the code has a name that mints' }
  return {
    rule,
    holds: null,
    reason: `no function of a known name mints; what these do is not known: ${unknown.slice(0, 8).join(', ')}`,
  }
}

/** The token of a pool that the factory founded was made by this package's own code. */
async function isPoolToken(client: Client, token: Address, factory: Address, ask: Ask): Promise<boolean> {
  const pool = await ask('pool')
  if (typeof pool !== 'string') return false
  const address = pool as Address
  const index = await reading('checkToken', () =>
    readContract(client, { address: factory, abi: poolFactoryAbi, functionName: 'indexOf', args: [address] }),
  )
  if (index === 0) return false
  const own = await reading('checkToken', () =>
    readContract(client, { address, abi: poolAbi, functionName: 'token' }),
  )
  return isAddressEqual(own, token)
}

async function upgrade(client: Client, token: Address, code: Hex, facts: CodeFacts): Promise<TokenFinding> {
  const slots = await reading('checkToken', () =>
    Promise.all(PROXY_SLOTS.map((slot) => getStorageAt(client, { address: token, slot }))),
  )
  const rule = 'upgrade'
  if (slots.some((value) => value !== undefined && BigInt(value) !== 0n)) {
    return { rule, holds: false, reason: 'it is a proxy (EIP-1967): its code can be replaced' }
  }
  if (code.startsWith('0x363d3d373d3d3d363d73'))
    return { rule, holds: false, reason: 'it is a minimal proxy (EIP-1167): other code runs' }
  return found(rule, !facts.delegates, 'its code cannot change', 'it runs other code in its place')
}

async function owner(
  client: Client,
  { minimumDelay = HOURS_48 }: CheckTokenOptions,
  ask: Ask,
): Promise<TokenFinding> {
  const rule = 'owner'
  // ERC-165 identifier of IAccessControl.
  if ((await ask('supportsInterface', ['0x7965db0b'])) === true) {
    return { rule, holds: false, reason: 'it has roles, which an administrator can grant' }
  }
  const who = await ask('owner')
  if (typeof who !== 'string' || who === zeroAddress) return { rule, holds: true, reason: 'nobody owns it' }
  const delay = await asker(client, who as Address)('getMinDelay')
  if (typeof delay !== 'bigint') return { rule, holds: false, reason: `${who} owns it, without a time lock` }
  return found(
    rule,
    delay >= minimumDelay,
    `a time lock of ${delay} seconds owns it`,
    `the time lock of its owner is ${delay} seconds, less than ${minimumDelay}`,
  )
}

function absent(
  rule: TokenRule,
  facts: CodeFacts,
  names: ReadonlyMap<Hex, string>,
  harm: string,
): TokenFinding {
  const there = namesIn(facts, names)
  return found(rule, there.length === 0, 'no function of a known name does', `${harm} ${there.join(', ')}`)
}

async function transferFee(
  client: Client,
  { token, holder, maximumFeeBps = 0 }: CheckTokenOptions,
): Promise<TokenFinding> {
  const rule = 'transferFee'
  if (holder === undefined) return { rule, holds: null, reason: 'no holder was named to try a transfer' }
  const amount = (await asker(client, token)('balanceOf', [holder])) as bigint | undefined
  if (amount === undefined || amount === 0n) return { rule, holds: null, reason: 'the holder has nothing' }
  // An address that nobody has a key of: SHA-256 of nothing, cut.
  const to = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4'
  const data = encodeFunctionData({ abi: transferProbeAbi, functionName: 'probe', args: [token, to, amount] })
  let answer: Hex | undefined
  try {
    const stateOverride = [{ address: holder, code: transferProbeCode }]
    const result = await reading('checkToken', () => call(client, { to: holder, data, stateOverride }))
    answer = result.data
  } catch (error) {
    if (error instanceof ContractsError && error.code === 'CHAIN_UNREACHABLE') throw error
    return { rule, holds: false, reason: 'the holder cannot transfer its balance' }
  }
  const [left, arrived] = decodeFunctionResult({
    abi: transferProbeAbi,
    functionName: 'probe',
    data: answer ?? '0x',
  })
  if (left === 0n) return { rule, holds: false, reason: 'the holder cannot transfer its balance' }
  const kept = left > arrived ? left - arrived : 0n
  const bps = (kept * 10_000n + left - 1n) / left
  return found(
    rule,
    bps <= BigInt(maximumFeeBps),
    bps === 0n ? 'all that leaves arrives' : `a transfer costs ${bps} of 10,000`,
    `a transfer costs ${bps} of 10,000, more than ${maximumFeeBps}`,
  )
}

async function vesting(client: Client, schedule: Address, options: CheckTokenOptions): Promise<TokenFinding> {
  const { token, minimumCliff = DAYS_180, minimumDuration = 2n * DAYS_180 } = options
  const { startsAt, cliffAt, endsAt } = await getVesting(client, { schedule, token })
  const [cliff, duration] = [cliffAt - startsAt, endsAt - startsAt]
  return found(
    'vesting',
    cliff >= minimumCliff && duration >= minimumDuration,
    `${schedule} pays nothing for ${cliff} seconds, and all after ${duration}`,
    `${schedule} pays after ${cliff} of ${minimumCliff} seconds and all after ${duration} of ${minimumDuration}`,
  )
}
