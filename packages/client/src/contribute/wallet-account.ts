import type { Address } from '@sealpool/crypto'
import type { Account, Client, JsonRpcAccount, LocalAccount } from 'viem'
import { signTypedData } from 'viem/actions'

/**
 * An account in a browser's wallet (EIP-1193), for the calls of this package that sign typed data. viem's own `json-rpc` accounts
 * have an address alone.
 *
 * @param options - the wallet, and which of its accounts
 * @param options.wallet a viem client whose transport is the wallet, such as `custom(window.ethereum)`
 * @param options.address the account, as the wallet named it
 * @returns the account; its `signTypedData` asks the wallet (`eth_signTypedData_v4`) and rejects as viem does, for example with
 *   `UserRejectedRequestError`
 * @example
 * ```ts no-run
 * import { walletAccount } from '@sealpool/client'
 * import { createClient, custom, type EIP1193Provider } from 'viem'
 * import { requestAddresses } from 'viem/actions'
 *
 * declare const provider: EIP1193Provider
 * const wallet = createClient({ transport: custom(provider) })
 * const [address] = await requestAddresses(wallet)
 * if (address !== undefined) console.log(walletAccount({ wallet, address }).type) // json-rpc
 * ```
 */
export function walletAccount(options: { readonly wallet: Client; readonly address: Address }): Account {
  const { wallet, address } = options
  const account: JsonRpcAccount = { address, type: 'json-rpc' }
  // viem's union of accounts has `json-rpc` ones that sign nothing; it goes by `type` when it sends, and so this is one, which signs besides.
  const signing: Pick<LocalAccount, 'signTypedData'> = {
    // Parameters for accounts of either kind are the same but for their types.
    signTypedData: (typedData) =>
      signTypedData(wallet, { ...typedData, account: address } as Parameters<typeof signTypedData>[1]),
  }
  Object.assign(account, signing)
  return account
}
