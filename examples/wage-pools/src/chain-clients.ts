import { type Account, createWalletClient, http, publicActions } from 'viem'
import { anvil } from 'viem/chains'

/** A client on the local chain that reads and, for one account, writes. */
export function chainClient(rpcUrl: string, account?: Account) {
  return createWalletClient({
    chain: anvil,
    // Reads that fall together go out as one request.
    transport: http(rpcUrl, { batch: true }),
    pollingInterval: 20,
    ...(account === undefined ? {} : { account }),
  }).extend(publicActions)
}

export type ChainClient = ReturnType<typeof chainClient>
