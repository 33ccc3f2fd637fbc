import {
  type Address,
  type Client,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  parseEventLogs,
  stringToHex,
} from 'viem'
import { readContract } from 'viem/actions'
import { tdxCollateralAbi, tdxCollateralBytecode } from '../abi/TdxCollateral.js'
import { tdxVerifierAbi, tdxVerifierBytecode } from '../abi/TdxVerifier.js'
import { logsOf, reading, type Sent, send, type WriteOptions } from '../action/transaction.js'
import { ContractsError } from '../errors.js'
import { tdxStatuses } from './tdx-evidence.js'

/** Intel's collateral for TDX quotes as its service answers it. Certificates and lists are DER. */
export interface TdxCollateralFiles {
  readonly rootRevocationList: Hex
  /** The authority that signed the platform's certificate. */
  readonly authority: Hex
  readonly authorityRevocationList: Hex
  /** The certificate of the signer of TCB info and identity. */
  readonly signer: Hex
  /** The whole answer, `{"tcbInfo":...,"signature":"..."}`. */
  readonly tcbInfo: string
  /** The whole answer, `{"enclaveIdentity":...,"signature":"..."}`. */
  readonly identity: string
}

/** Where the two contracts are. */
export interface TdxVerifierContracts {
  readonly collateral: Address
  readonly verifier: Address
}

/**
 * Deploys the collateral's store and the verifier. Nobody owns them.
 *
 * @param client - a viem client with an account, on the chain that gets them
 * @param args - besides {@link WriteOptions}: `rootCertificate` and `accept`
 * @param args.rootCertificate The root that everything must come from, DER: Intel's, or a simulator's on a test chain.
 * @param args.accept Statuses with which a node may be registered; default `UpToDate` and `SWHardeningNeeded`.
 * @returns the addresses of the two contracts
 * @throws {ContractsError} `REVERTED` when the root does not certify itself.
 */
export async function deployTdxVerifier(
  client: Client,
  args: WriteOptions & {
    readonly rootCertificate: Hex
    readonly accept?: readonly (typeof tdxStatuses)[number][]
  },
): Promise<TdxVerifierContracts> {
  const create = async (place: string, data: Hex): Promise<Address> => {
    const { receipt } = await send(client, place, { to: null, data }, args)
    if (!receipt.contractAddress) throw new ContractsError('NOT_FOUND', place, 'no contract was created')
    return receipt.contractAddress
  }
  const collateral = await create(
    'deploy TdxCollateral',
    encodeDeployData({
      abi: tdxCollateralAbi,
      bytecode: tdxCollateralBytecode,
      args: [args.rootCertificate],
    }),
  )
  const accepted = (args.accept ?? ['UpToDate', 'SWHardeningNeeded']).reduce(
    (bits, status) => bits | (1n << BigInt(tdxStatuses.indexOf(status))),
    0n,
  )
  const verifier = await create(
    'deploy TdxVerifier',
    encodeDeployData({ abi: tdxVerifierAbi, bytecode: tdxVerifierBytecode, args: [collateral, accepted] }),
  )
  return { collateral, verifier }
}

/**
 * Brings collateral on chain, piece by piece, leaving out what is there already (`NotNewer`). Anyone may.
 *
 * @param client - a viem client with an account, on the store's chain
 * @param args - besides {@link WriteOptions}: `collateral`, the store's address; `files`, what Intel's service answered
 * @returns Identifier of the PCK authority, which verifications name, and the transactions that were sent.
 * @throws {ContractsError} `ARGUMENT_INVALID` when an answer is not of Intel's form; `REVERTED`: `SignatureInvalid`,
 * `OutOfDate`, `IsRevoked`, `JsonUnexpected`, ...
 */
export async function bringTdxCollateral(
  client: Client,
  args: WriteOptions & { readonly collateral: Address; readonly files: TdxCollateralFiles },
): Promise<{ readonly authority: Hex; readonly sent: readonly Sent[] }> {
  const { files } = args
  const to = args.collateral
  const root = await reading('TdxCollateral.root', () =>
    readContract(client, { address: to, abi: tdxCollateralAbi, functionName: 'root' }),
  )
  const sent: Sent[] = []
  const write = async (name: string, data: Hex) => {
    try {
      const done = await send(client, `TdxCollateral.${name}`, { to, data }, args)
      sent.push(done)
      return done
    } catch (error) {
      if (error instanceof ContractsError && error.revert?.name === 'NotNewer') return undefined
      throw error
    }
  }
  const list = (der: Hex, issuer: Hex) =>
    write(
      'addRevocationList',
      encodeFunctionData({ abi: tdxCollateralAbi, functionName: 'addRevocationList', args: [der, issuer] }),
    )
  const authority = async (der: Hex): Promise<Hex> => {
    const done = await write(
      'addAuthority',
      encodeFunctionData({ abi: tdxCollateralAbi, functionName: 'addAuthority', args: [der] }),
    )
    const logs = done === undefined ? [] : logsOf(done, to)
    const [event] = parseEventLogs({ abi: tdxCollateralAbi, eventName: 'AuthorityAdded', logs })
    if (event === undefined)
      throw new ContractsError('NOT_FOUND', 'TdxCollateral.addAuthority', 'the receipt holds no event')
    return event.args.id
  }
  const document = (name: 'addTcbInfo' | 'addIdentity', answer: string, field: string, signer: Hex) => {
    const { text, signature } = signedPart(answer, field)
    return write(
      name,
      encodeFunctionData({
        abi: tdxCollateralAbi,
        functionName: name,
        args: [stringToHex(text), signature, signer],
      }),
    )
  }
  await list(files.rootRevocationList, root)
  const signer = await authority(files.signer)
  const id = await authority(files.authority)
  await list(files.authorityRevocationList, id)
  await document('addTcbInfo', files.tcbInfo, 'tcbInfo', signer)
  await document('addIdentity', files.identity, 'enclaveIdentity', signer)
  return { authority: id, sent }
}

/** The text that is signed, byte for byte, and its signature. */
function signedPart(answer: string, field: string): { text: string; signature: Hex } {
  const head = `{"${field}":`
  const tail = /,"signature":"([0-9a-fA-F]{128})"\}\s*$/.exec(answer)
  if (!answer.startsWith(head) || tail === null) {
    throw new ContractsError(
      'ARGUMENT_INVALID',
      'bringTdxCollateral',
      `not Intel's answer: expected ${head}...,"signature":"..."}`,
    )
  }
  return { text: answer.slice(head.length, tail.index), signature: `0x${tail[1] ?? ''}` }
}
