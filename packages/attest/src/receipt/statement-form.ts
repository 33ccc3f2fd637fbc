import { keccak_256 } from '@noble/hashes/sha3.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type Address, parseSignedStatement, type SignedStatement } from '@sealpool/crypto'

/** Lower case, or exactly the letter case of EIP-55: each address has these two texts and no other. */
function addressForm(address: Address): boolean {
  const lower = address.toLowerCase()
  if (address === lower) return true
  const hash = bytesToHex(keccak_256(new TextEncoder().encode(lower.slice(2))))
  const checksummed = [...lower.slice(2)].map((letter, i) =>
    Number.parseInt(hash.charAt(i), 16) >= 8 ? letter.toUpperCase() : letter,
  )
  return address === `0x${checksummed.join('')}`
}

/**
 * A signature covers what hex means, not how it is written. So that no byte of a receipt can be changed without notice,
 * words are in lower case and addresses in lower case or with their EIP-55 checksum.
 *
 * @param signed a signed statement
 * @returns undefined when the form is the canonical one, else what is not
 * @throws CryptoError when it is not a signed statement at all
 */
export function statementFormProblem(signed: SignedStatement): string | undefined {
  const { context } = parseSignedStatement(JSON.parse(JSON.stringify(signed)))
  const words = [signed.signature, context.subject]
  const addresses: Address[] = [context.registry, context.pool]
  for (const fact of context.facts) {
    if (fact.type === 'bytes32') words.push(fact.value as `0x${string}`)
    if (fact.type === 'address') addresses.push(fact.value as Address)
  }
  if (words.some((word) => word !== word.toLowerCase()))
    return 'signature and words must be in lower-case hex'
  if (!addresses.every(addressForm)) return 'addresses must be in lower case or carry their EIP-55 checksum'
  if (signed.signer !== signed.signer.toLowerCase()) return 'the signer must be in lower case'
  return undefined
}
