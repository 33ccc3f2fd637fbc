import { describe, expect, it } from 'vitest'
import { decodeHex, type Hex } from '../encoding/hex.js'
import { runSession, seededRandom, testMembers, testSession } from '../testing/committee.js'
import { decryptPartially, partialDecryptionOnChain } from './index.js'

const random = seededRandom('on-chain vector')
const members = testMembers('on-chain vector', 3)
const { key, shares } = runSession(members, testSession(members, 2))
const label = new TextEncoder().encode('job 7')
// 32 zeros, sealed once and kept: the Solidity tests hold a part of this very envelope.
const envelope = decodeHex(
  [
    '0x037b8c9f3ef6df0e098e4c41064930448f2eaeb330bacbc6237bb39c00dbd4766c03e4d2a1e14e0a33caee65',
    '2d33d9041305371d6620294441eabbc21fb65729c79be17a36ff4b9c1a79f362c798368eedaa2f2356487ae3',
    '9eef3a0e3b46be68fd3859b688898b6c35cb3049ca8d99c3b8457e80ff8eaecfeaaa3851607cd1668178e6bd',
    'd7c62fe952485bd6613988903e0ed6bc64fab14ef88c479de4e8768dd9a901893ab62c6f604480b7f98a1d00',
    '7d22',
  ].join('') as Hex,
)
// As many bytes as sealing it took, so that the parts are those of then.
random(96)
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
