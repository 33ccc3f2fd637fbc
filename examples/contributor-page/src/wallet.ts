import { walletAccount } from '@sealpool/client'
import { type Address, establishWalletKey, walletKeyTypedData } from '@sealpool/crypto'
import {
  type Account,
  type Client,
  createClient,
  custom,
  defineChain,
  type EIP1193Provider,
  getAddress,
  http,
} from 'viem'
import type { PageSettings } from './page-settings.js'

declare global {
  interface Window {
    /** What wallets put into pages (EIP-1193). */
    ethereum?: EIP1193Provider
  }
}

/** What the wallet answers; everything else is asked of the app's own endpoint. */
const walletMethods: ReadonlySet<string> = new Set([
  'eth_chainId',
  'eth_accounts',
  'eth_requestAccounts',
  'eth_sendTransaction',
  'eth_signTypedData_v4',
  'wallet_switchEthereumChain',
])

/** The chain as the page reads it, without a wallet. */
export function readingChain(settings: PageSettings): Client {
  return createClient({ chain: chainOf(settings), transport: http(settings.rpcUrl), pollingInterval: 500 })
}

/** A connected wallet. */
export interface ConnectedWallet {
  readonly address: Address
  /** Signs and sends through the wallet, reads through the app's own endpoint. */
  readonly chain: Client
  readonly account: Account
}

/** Asks the wallet for an account on the pool's chain. */
export async function connectWallet(settings: PageSettings): Promise<ConnectedWallet> {
  const provider = window.ethereum
  if (provider === undefined) {
    throw new Error('there is no wallet in this browser; install one, then reload the page')
  }
  const chain = chainOf(settings)
  const [first] = await provider.request({ method: 'eth_requestAccounts' })
  if (first === undefined) throw new Error('the wallet gave no account')
  if (Number(await provider.request({ method: 'eth_chainId' })) !== chain.id) {
    const chainId = `0x${chain.id.toString(16)}`
    await provider.request({ method: 'wallet_switchEthereumChain', params: [{ chainId }] })
  }
  const reading = http(settings.rpcUrl)({ chain })
  const client = createClient({
    chain,
    transport: custom({
      request: (call) => (walletMethods.has(call.method) ? provider.request(call) : reading.request(call)),
    }),
    pollingInterval: 500,
  })
  const address = getAddress(first)
  const account = walletAccount({ wallet: client, address })
  return { address, chain: client, account }
}

/**
 * The key to which the owner's own copy is sealed, made of a signature. The wallet is asked twice, because one that signs the
 * same text in two ways could never open the copy again.
 */
export async function ownCopyKey(
  { address, account }: ConnectedWallet,
  chainId: number,
): Promise<Uint8Array> {
  const { signTypedData: sign } = account
  if (sign === undefined) throw new Error('the account cannot sign')
  const key = await establishWalletKey({
    address,
    typedData: walletKeyTypedData({ chainId, purpose: 'My copy of my pool files' }),
    sign: (typedData) => sign(typedData as never),
  })
  if (key.source === 'random') {
    // A page for everybody would draw a key and have its owner back it up: docs/formats/wallet-key-backup.md.
    throw new Error(
      `this wallet cannot make the key of your own copy (${key.reason}); use another wallet here`,
    )
  }
  return key.identity.publicKey
}

function chainOf({ deployment, rpcUrl }: PageSettings) {
  return defineChain({
    id: deployment.chainId,
    name: `chain ${deployment.chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  })
}
