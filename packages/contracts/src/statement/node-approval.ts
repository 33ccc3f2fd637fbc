import { type Account, type Address, type Hex, recoverTypedDataAddress } from 'viem'
import type { Deployment } from '../deploy/deployment.js'
import { ContractsError } from '../errors.js'

/** What verifiers confirm about a node. Digests are 32-byte hex. */
export interface NodeRegistration {
  /** Address of the key that signs the node's statements. */
  readonly statementKey: Address
  readonly keySetDigest: Hex
  readonly quoteDigest: Hex
  readonly measurement: Hex
  /** Unix seconds, chain time; at most 90 days ahead. */
  readonly expiresAt: bigint
}

/** EIP-712 types of a verifier's approval. */
export const nodeApprovalTypes = {
  NodeApproval: [
    { name: 'statementKey', type: 'address' },
    { name: 'keySetDigest', type: 'bytes32' },
    { name: 'quoteDigest', type: 'bytes32' },
    { name: 'measurement', type: 'bytes32' },
    { name: 'expiresAt', type: 'uint64' },
  ],
} as const

/**
 * The EIP-712 data that a verifier signs after it has checked a node's evidence.
 *
 * @param args - `deployment`, chain and node registry; `registration`, what is confirmed
 * @returns domain, types and message as viem's `signTypedData` takes them
 */
export function nodeApprovalTypedData(args: {
  readonly deployment: Pick<Deployment, 'chainId' | 'nodeRegistry'>
  readonly registration: NodeRegistration
}) {
  return {
    domain: {
      name: 'Sealpool',
      version: '1',
      chainId: args.deployment.chainId,
      verifyingContract: args.deployment.nodeRegistry,
    },
    types: nodeApprovalTypes,
    primaryType: 'NodeApproval',
    message: args.registration,
  } as const
}

/**
 * Signs a verifier's approval of a node. Check the node's evidence first: this signature says that you did.
 *
 * @param args - `account`, the verifier's, local; `deployment`, chain and node registry; `registration`, what is confirmed
 * @returns the signature, 65 bytes r || s || v, for `registerNode`
 * @throws {ContractsError} `NO_ACCOUNT` when the account cannot sign typed data.
 */
export async function signNodeApproval(args: {
  readonly account: Account
  readonly deployment: Pick<Deployment, 'chainId' | 'nodeRegistry'>
  readonly registration: NodeRegistration
}): Promise<Hex> {
  if (args.account.signTypedData === undefined) {
    throw new ContractsError(
      'NO_ACCOUNT',
      'signNodeApproval',
      'this account cannot sign here: use a local account',
    )
  }
  return args.account.signTypedData(nodeApprovalTypedData(args))
}

/** Orders signatures by their signers' addresses, as the registry wants them. */
export async function orderApprovals(args: {
  readonly deployment: Pick<Deployment, 'chainId' | 'nodeRegistry'>
  readonly registration: NodeRegistration
  readonly signatures: readonly Hex[]
}): Promise<Hex[]> {
  const typedData = nodeApprovalTypedData(args)
  const signed = await Promise.all(
    args.signatures.map(async (signature) => ({
      signature,
      signer: (await recoverTypedDataAddress({ ...typedData, signature })).toLowerCase(),
    })),
  )
  return signed.sort((a, b) => (a.signer < b.signer ? -1 : 1)).map(({ signature }) => signature)
}
