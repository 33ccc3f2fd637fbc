import { expect, test } from 'vitest'
import * as api from './index.js'

test('the package offers exactly these names', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "CryptoError",
      "addRecipient",
      "addressOf",
      "asJson",
      "bytesToDigest",
      "canonicalBytes",
      "canonicalize",
      "commitPlaintext",
      "commitRows",
      "concatBytes",
      "currentKeyEpoch",
      "currentRecipient",
      "decodeArmor",
      "decodeBase64Url",
      "decodeHex",
      "deriveKeyPair",
      "deriveNodeKeys",
      "derivePoolKey",
      "deriveSecret",
      "digestOf",
      "digestToBytes",
      "digestToHex",
      "encodeArmor",
      "encodeBase64Url",
      "encodeHex",
      "equalBytes",
      "establishWalletKey",
      "hexToDigest",
      "hpkeIdentity",
      "hpkeOpen",
      "hpkeReceiver",
      "hpkeRecipient",
      "hpkeSeal",
      "hpkeSender",
      "keyEpochsRevision",
      "keyIdOf",
      "keySetDigest",
      "listRecipients",
      "maximumJsonDepth",
      "merkleMultiProof",
      "merkleProof",
      "merkleRoot",
      "openBytes",
      "openCommitment",
      "openRange",
      "openRows",
      "openStream",
      "parseAddress",
      "parseCanonical",
      "parseDigest",
      "parseHeader",
      "parseKeyEpochs",
      "parseKeySet",
      "parseSignedStatement",
      "platformRandom",
      "poolIdentities",
      "publicKeyOf",
      "publishKeyEpochs",
      "readKeyEpochs",
      "recipientOfEpoch",
      "recoverStatementSigner",
      "removeRecipient",
      "requireKeyEpochsOnChain",
      "retireKeyEpoch",
      "rewrapHeader",
      "rewrapHeaders",
      "rewriteHeader",
      "rotateKeyEpoch",
      "seal",
      "sealBytes",
      "sealedReader",
      "sealedSize",
      "sha256Digest",
      "signKeyEpochs",
      "signStatement",
      "statementDigest",
      "statementKind",
      "statementTypedDataHash",
      "thresholdIdentity",
      "thresholdRecipient",
      "verifyCommitment",
      "verifyCommitmentOpening",
      "verifyMerkleMultiProof",
      "verifyMerkleProof",
      "verifyRowsOpening",
      "verifyStatement",
      "walletIdentity",
      "walletIdentityFromSecret",
      "walletKeyTypedData",
      "walletRecipient",
      "x25519Kem",
    ]
  `)
})

test('random may be left out: the platform’s is used, also past the limit of one WebCrypto call', async () => {
  const bytes = api.platformRandom(200_000)
  expect(bytes.length).toBe(200_000)
  expect(new Set(bytes.subarray(199_000)).size).toBeGreaterThan(100)
  const { publicKey, privateKey } = api.deriveKeyPair(api.platformRandom(32))
  const nothing = new Uint8Array()
  const message = await api.hpkeSeal({ publicKey, info: nothing, aad: nothing, plaintext: bytes })
  expect(await api.hpkeOpen({ privateKey, info: nothing, aad: nothing, message })).toEqual(bytes)

  const scope = {
    chainId: 1,
    pool: `0x${'01'.repeat(20)}`,
    policyDigest: `sha256:${'02'.repeat(32)}`,
    epoch: 0,
  } as const
  const context = { ...scope, commitment: `sha256:${'03'.repeat(32)}`, mediaType: 'text/plain' } as const
  const recipient = api.hpkeRecipient({ publicKey })
  const other = api.deriveKeyPair(api.platformRandom(32))
  const sealing = api.seal({ recipients: [recipient], context })
  const stream = new Blob([new Uint8Array([1, 2, 3])]).stream().pipeThrough(sealing)
  const sealed = new Uint8Array(await new Response(stream).arrayBuffer())
  const added = await api.addRecipient(sealed, {
    identities: [api.hpkeIdentity({ privateKey })],
    recipient: api.hpkeRecipient(other),
  })
  const opened = await api.openBytes(added, { identities: [api.hpkeIdentity(other)] })
  expect(opened.plaintext).toEqual(new Uint8Array([1, 2, 3]))
})
