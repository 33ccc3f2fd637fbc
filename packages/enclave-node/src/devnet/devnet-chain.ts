/**
 * A chain of one machine with all contracts, its accounts by what they are for, and blocks that come by the clock.
 * @module
 */
import { type Deployment, deployAll, deployMarket } from '@sealpool/contracts'
import { startDevnet } from '@sealpool/contracts/devnet'
import type { Address, Hex } from '@sealpool/crypto'
import {
  type Account,
  type Chain,
  createWalletClient,
  defineChain,
  http,
  type Transport,
  type WalletClient,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { request } from './chain-request.js'

/** A client with an account on the chain. */
export type DevnetWallet = WalletClient<Transport, Chain, Account>

/** An account of the chain. Its key is public knowledge. */
export interface DevnetKey {
  readonly address: Address
  readonly privateKey: Hex
}

/** The chain. */
export interface DevnetChain {
  readonly rpcUrl: string
  readonly chainId: number
  readonly deployment: Deployment
  readonly anchors: Address
  /** Deployed everything: owner of the node registry and guardian of the pools. */
  readonly founder: DevnetKey
  /** Pays for the node's transactions. */
  readonly operator: DevnetKey
  /** Checks evidence. */
  readonly verifier: DevnetKey
  readonly consumer: DevnetKey
  readonly contributors: readonly DevnetKey[]
  /** @param key of one of the accounts */
  walletOf(key: DevnetKey): DevnetWallet
  /** Lets the chain's time pass. @param seconds of it */
  advanceTime(seconds: number): Promise<void>
  stop(): Promise<void>
}

/** Milliseconds between two blocks: votes and time locks end by the clock, also while nobody sends anything. */
const blockMs = 1_000
/** Accounts that contribute and vote. */
const contributorCount = 6

/**
 * Starts the chain and deploys the contracts.
 * @returns the chain, until `stop`
 * @throws ContractsError `ANVIL_NOT_FOUND`, which says what to install, `ANVIL_FAILED`
 */
export async function startDevnetChain(): Promise<DevnetChain> {
  const devnet = await startDevnet({ accounts: 4 + contributorCount, persistedStates: 0 })
  try {
    const keys = devnet.accounts.map(
      ({ address, privateKey }): DevnetKey => ({ address: address.toLowerCase() as Address, privateKey }),
    )
    const [founder, operator, verifier, consumer, ...contributors] = keys
    if (founder === undefined || operator === undefined || verifier === undefined || consumer === undefined) {
      throw new RangeError('the devnet has too few accounts')
    }
    const chain = defineChain({
      id: devnet.chainId,
      name: 'devnet (SIMULATED)',
      nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
      rpcUrls: { default: { http: [devnet.rpcUrl] } },
    })
    const walletOf = ({ privateKey }: DevnetKey): DevnetWallet =>
      createWalletClient({
        account: privateKeyToAccount(privateKey),
        chain,
        transport: http(devnet.rpcUrl),
        pollingInterval: 50,
      })
    const client = walletOf(founder)
    const deployment = await deployAll({ walletClient: client })
    const { anchors } = await deployMarket(client, { deployment, arbiter: founder.address, minimumStake: 1n })
    const mining = setInterval(() => {
      // It may be on its way out; what cannot be mined now is mined a second later.
      request(devnet.rpcUrl, 'evm_mine', []).catch(() => undefined)
    }, blockMs)
    mining.unref()
    return {
      rpcUrl: devnet.rpcUrl,
      chainId: devnet.chainId,
      deployment,
      anchors,
      founder,
      operator,
      verifier,
      consumer,
      contributors,
      walletOf,
      advanceTime: (seconds) => devnet.advanceTime(seconds),
      async stop() {
        clearInterval(mining)
        await devnet.stop()
      },
    }
  } catch (error) {
    await devnet.stop()
    throw error
  }
}
