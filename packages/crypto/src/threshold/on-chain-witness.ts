import { secp256k1 } from '@noble/curves/secp256k1.js'
import { decodeHex, encodeHex, type Hex } from '../encoding/hex.js'
import { requireOptions } from '../encoding/options.js'
import { CryptoError } from '../errors.js'
import { combination } from './discrete-log-proof.js'
import { checkEnvelope } from './envelope.js'
import { type GroupElement, generator, pointBytes, scalarOf, toScalar } from './group.js'
import {
  envelopeContext,
  type LabelledEnvelope,
  type PartialDecryption,
  partContext,
  verifyPartialDecryption,
} from './partial-decryption.js'
import { knownPoint, parseThresholdKey, type ThresholdKey } from './session.js'

/** A point by its compressed form, as the contract takes it. */
export interface CompressedPoint {
  /** 2 or 3. */
  readonly prefix: number
  readonly x: bigint
}

/** A point by both coordinates, as the contract takes it. */
export interface AffinePoint {
  readonly x: bigint
  readonly y: bigint
}

/** The arguments of the Solidity library `DiscreteLogProof`. */
export interface DiscreteLogArguments {
  readonly claim: {
    readonly key: CompressedPoint
    readonly base: CompressedPoint
    readonly image: CompressedPoint
    readonly context: Hex
  }
  readonly proof: { readonly challenge: bigint; readonly response: bigint }
  readonly witness: {
    readonly first: AffinePoint
    readonly second: AffinePoint
    readonly scaledBase: AffinePoint
    readonly scaledImage: AffinePoint
    readonly inverse: bigint
  }
}

/**
 * What a contract needs to check one member's part for about 20,000 gas: `DiscreteLogProof.verify` has `ecrecover` do the
 * curve arithmetic and checks the intermediate points that are given here.
 *
 * @param options - as for `verifyPartialDecryption`
 * @returns the library's arguments
 * @throws CryptoError `SHARE_INVALID` when the part is not that member's honest part; `ENVELOPE_REFUSED`,
 *   `SESSION_INVALID`
 */
export function partialDecryptionOnChain(
  options: LabelledEnvelope & { readonly key: ThresholdKey; readonly partial: PartialDecryption },
): DiscreteLogArguments {
  requireOptions(options)
  const { envelope, label, partial } = options
  const key = parseThresholdKey(options.key)
  if (!verifyPartialDecryption({ key, envelope, label, partial })) {
    throw new CryptoError(
      'SHARE_INVALID',
      'partial',
      'not an honest part of its member; a contract would refuse it',
    )
  }
  const { point: base, ciphertext } = checkEnvelope({ publicKey: key.publicKey, label, envelope })
  const own = knownPoint(key.members[partial.member - 1]?.verificationKey ?? '0x')
  const image = knownPoint(partial.point)
  const bytes = decodeHex(partial.proof)
  const challenge = scalarOf(bytes.subarray(0, 32)) ?? 0n
  const response = scalarOf(bytes.subarray(32)) ?? 0n
  const minus = toScalar(-challenge)
  const scaledBase = combination([base], [response])
  const scaledImage = combination([image], [challenge])
  const field = secp256k1.Point.Fp
  return {
    claim: {
      key: compressed(own),
      base: compressed(base),
      image: compressed(image),
      context: encodeHex(partContext(key, partial.member, envelopeContext(label, ciphertext))),
    },
    proof: { challenge, response },
    witness: {
      first: affine(combination([generator(), own], [response, minus])),
      second: affine(combination([base, image], [response, minus])),
      scaledBase: affine(scaledBase),
      scaledImage: affine(scaledImage),
      inverse: field.inv(field.sub(scaledBase.toAffine().x, scaledImage.toAffine().x)),
    },
  }
}

function compressed(point: GroupElement): CompressedPoint {
  const [prefix = 0] = pointBytes(point)
  return { prefix, x: point.toAffine().x }
}

function affine(point: GroupElement): AffinePoint {
  const { x, y } = point.toAffine()
  return { x, y }
}
