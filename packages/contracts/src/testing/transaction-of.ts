import { type Address, createWalletClient, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { sendTransaction, waitForTransactionReceipt } from 'viem/actions'
import { foundry } from 'viem/chains'
import type { Devnet } from '../devnet/index.js'

/** Sends a plain transaction from the first account of a local chain, and waits until it is mined: anvil answers before that. */
export async function transactionOf(devnet: Devnet, transaction: { to: Address; value: bigint }) {
  const [account] = devnet.accounts
  if (account === undefined) throw new Error('the chain has no account')
  const client = createWalletClient({
    account: privateKeyToAccount(account.privateKey),
    chain: { ...foundry, id: devnet.chainId },
    transport: http(devnet.rpcUrl),
  })
  return waitForTransactionReceipt(client, {
    hash: await sendTransaction(client, transaction),
    pollingInterval: 50,
  })
}
