import { readFileSync } from 'node:fs'
import type { Abi, Address, Client, Hex } from 'viem'
import { encodeDeployData, getAddress } from 'viem'
import { send } from '../action/transaction.js'

/** What the compiler makes of one contract. */
export interface Compiled {
  readonly abi: Abi
  readonly bytecode: Hex
}

/** Compiles a Solidity source of the tests (path from the package's folder), by the package's own compiler. */
export async function compiledFrom(path: string): Promise<Record<string, Compiled>> {
  const root = new URL('../../', import.meta.url)
  const { compile } = (await import(new URL('scripts/solidity.mjs', root).href)) as {
    compile(input: object): {
      errors?: { severity: string; formattedMessage: string }[]
      contracts: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>
    }
  }
  const output = compile({
    language: 'Solidity',
    sources: { [path]: { content: readFileSync(new URL(path, root), 'utf8') } },
    settings: {
      evmVersion: 'cancun',
      optimizer: { enabled: true, runs: 1 },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  })
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'))
  return Object.fromEntries(
    Object.entries(output.contracts[path] ?? {}).map(([name, { abi, evm }]) => [
      name,
      { abi, bytecode: `0x${evm.bytecode.object}` as const },
    ]),
  )
}

/** Deploys a compiled contract. */
export async function deploy(
  client: Client,
  compiled: Compiled | undefined,
  args: readonly unknown[] = [],
): Promise<Address> {
  if (compiled === undefined) throw new Error('there is no such contract in the source')
  const data = encodeDeployData({ abi: compiled.abi, bytecode: compiled.bytecode, args })
  const { receipt } = await send(client, 'deploy', { to: null, data }, {})
  if (!receipt.contractAddress) throw new Error('no contract was created')
  return getAddress(receipt.contractAddress)
}
