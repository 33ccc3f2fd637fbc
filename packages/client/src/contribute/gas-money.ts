import type { Account, Client } from 'viem'
import { getBalance, getBlock, getGasPrice } from 'viem/actions'
import { ClientError } from '../errors.js'
import { chainRead } from './chain-read.js'

/** What a transaction costs at least (Ethereum yellow paper, appendix G, `G_transaction`). */
const smallestGas = 21_000n

/**
 * Stops whoever could pay for no transaction at all before anything is sealed or stored. It does not say that the money is enough: that the
 * estimate of the transaction itself finds out.
 *
 * @param chain - where it would be sent
 * @param account who sends. Only of one whose key is here: a wallet may have its gas paid by somebody else
 * @throws ClientError `INSUFFICIENT_FUNDS`, `CHAIN_READ_FAILED`
 */
export async function requireGasMoney(chain: Client, account: Account): Promise<void> {
  if (account.type !== 'local' || account.source === 'custom') return
  const { address } = account
  const [balance, price] = await chainRead('balance', () =>
    Promise.all([getBalance(chain, { address }), gasPrice(chain)]),
  )
  if (balance >= smallestGas * price) return
  throw new ClientError(
    'INSUFFICIENT_FUNDS',
    'account',
    `${address} cannot pay for gas; send it some of the chain's coin and call again, or sign with prepareContribution and have somebody else send it`,
  )
}

/** Wei that one unit of gas costs at least; 0 on chains that ask for none. */
async function gasPrice(chain: Client): Promise<bigint> {
  const { baseFeePerGas } = await getBlock(chain)
  return baseFeePerGas ?? (await getGasPrice(chain))
}
