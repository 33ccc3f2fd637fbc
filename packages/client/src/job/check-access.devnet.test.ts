import { deployAll, transferToken } from '@sealpool/contracts'
import { type Devnet, startDevnet } from '@sealpool/contracts/devnet'
import type { Address, JsonObject } from '@sealpool/crypto'
import { createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { policy } from '../testing/simulated-pool.js'
import { type CheckAccessOptions, checkAccess } from './check-access.js'

let devnet: Devnet
let token: Address
const stranger: Address = `0x${'77'.repeat(20)}`
const clientOf = (index: number) => {
  const account = privateKeyToAccount(devnet.accounts[index]?.privateKey ?? '0x')
  return createWalletClient({ account, chain: foundry, transport: http(devnet.rpcUrl) })
}

beforeAll(async () => {
  devnet = await startDevnet()
  token = (await deployAll({ walletClient: clientOf(0) })).protocolToken
}, 60_000)
afterAll(() => devnet.stop())

const guarded = (use: JsonObject): JsonObject => ({ ...policy, access: { version: 1, use } })
const check = (asked: Pick<CheckAccessOptions, 'policy'> & Partial<CheckAccessOptions>) =>
  checkAccess({ chain: clientOf(0), wallet: stranger, ...asked })

test('a pool without a condition keeps nobody out, and nothing is read', async () => {
  expect(await check({ policy })).toEqual({ verdict: 'yes', block: null, unmet: [] })
})

test('what is missing is named at its place, until it is there', async () => {
  const holder = { erc20: { contract: token, minimum: '5' } }
  const asked = { policy: guarded({ all: [{ not: { wallets: [token] } }, { any: [holder] }] }) }
  expect(await check(asked)).toMatchObject({
    verdict: 'no',
    unmet: [{ place: 'policy.access.use.all[1].any[0].erc20', verdict: 'no', wanted: 'yes' }],
  })
  const { receipt } = await transferToken(clientOf(0), { token, to: stranger, amount: 5n })
  expect(await check(asked)).toMatchObject({
    verdict: 'yes',
    unmet: [],
    block: { number: receipt.blockNumber },
  })
})

test('conditions of restrictions count as well, and what is not met weighs more than what is unknown', async () => {
  const silent = { accessControl: { contract: stranger, role: `0x${'00'.repeat(32)}` } }
  const open = guarded({ not: silent })
  expect(await check({ policy: open })).toMatchObject({
    verdict: 'unknown',
    unmet: [{ place: 'policy.access.use.not.accessControl', verdict: 'unknown', wanted: 'no' }],
  })
  const restrictions: JsonObject[] = [{ stop: false }, { access: { version: 1, use: { wallets: [token] } } }]
  expect(await check({ policy: open, restrictions })).toMatchObject({
    verdict: 'no',
    unmet: [{ verdict: 'unknown' }, { place: 'restrictions[1].access.use.wallets' }],
  })
})

test('a list of apps is asked for the code of the job', async () => {
  const apps = guarded({ erc734: { contract: token, purpose: '1', key: 'code' } })
  // The token knows no keys: it is asked, and does not answer.
  expect(await check({ policy: apps, code: `sha256:${'5c'.repeat(32)}` })).toMatchObject({
    verdict: 'unknown',
  })
  await expect(check({ policy: apps, code: 'sha256:5c' })).rejects.toMatchObject({ code: 'DIGEST_INVALID' })
})

test('rules that are not understood and a chain that does not answer are errors, and no yes', async () => {
  await expect(check({ policy: { ...policy, access: { version: 2, use: {} } } })).rejects.toMatchObject({
    code: 'ARGUMENT_INVALID',
    place: 'policy.access.version',
  })
  const chain = createWalletClient({ transport: http('http://127.0.0.1:1', { retryCount: 0 }) })
  await expect(check({ policy: guarded({ wallets: [stranger] }), chain })).rejects.toMatchObject({
    code: 'CHAIN_UNREACHABLE',
  })
})
