import { describe, expect, it } from 'vitest'
import { runSession, seededRandom, testMembers, testSession } from '../testing/committee.js'
import { decryptPartially, partialDecryptionOnChain, sealEnvelope } from './index.js'

const random = seededRandom('on-chain vector')
const members = testMembers('on-chain vector', 3)
const { key, shares } = runSession(members, testSession(members, 2))
const label = new TextEncoder().encode('job 7')
const envelope = sealEnvelope({ publicKey: key.publicKey, label, plaintext: new Uint8Array(32), random })
const [partial, other] = shares.map((share) => decryptPartially({ share, envelope, label, random })) as [
  ReturnType<typeof decryptPartially>,
  ReturnType<typeof decryptPartially>,
]

describe('a part for a contract to check', () => {
  it('is the one that the tests of the Solidity library take (contracts/test/DiscreteLogProof.t.sol)', () => {
    const { claim, proof, witness } = partialDecryptionOnChain({ key, envelope, label, partial })
    expect([claim.key.prefix, claim.key.x, proof.challenge, witness.inverse]).toEqual([
      2,
      0x7d82e0a0dd4a772e8aace0f53a871b06086b955984e664eabf0b50e9262f4d00n,
      0xc8ffc0fc932addc407fd243363d6dd5f61b4938f71928293c646b6ec69dd501fn,
      0x26b6dc75e0163596f9c082c0fed71a11bf458394419756d194ca0c116502d292n,
    ])
  })

  it('is refused here already when it is wrong: no gas is spent on it', () => {
    const wrong = { ...partial, point: other.point }
    expect(() => partialDecryptionOnChain({ key, envelope, label, partial: wrong })).toThrow(
      expect.objectContaining({ code: 'SHARE_INVALID' }),
    )
  })
})
