import { decodeBase64Url, sha256Digest } from '@sealpool/crypto'
import { checkEnvelope, decryptPartially } from '@sealpool/crypto/threshold'
import type { NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { partResource, rootLabel } from '../key/peers-key-release.js'
import { readCommittee, shareOf } from './committee-file.js'
import type { PartOfRoot } from './part-server.js'

/**
 * Opens this node's shares of the roots that its settings name.
 * @param options settings, this node's keys, and a CSPRNG for the proofs of its parts
 * @returns what the member serves; empty when the settings name no root
 * @throws NodeError `COMMITTEE_INVALID` when it is no member, or a root is not sealed to the committee for this deployment
 */
export function servedParts(options: {
  readonly config: Pick<NodeConfig, 'committee'> & {
    readonly chain: { readonly deployment: Parameters<typeof rootLabel>[0] }
  }
  readonly keys: NodeKeyRing
  readonly random: (length: number) => Uint8Array
}): readonly PartOfRoot[] {
  const { config, keys, random } = options
  const { deployment } = config.chain
  const label = rootLabel(deployment)
  return (config.committee?.roots ?? []).map((root, index) => {
    const place = `committee.roots.${index}`
    const { file, key } = readCommittee(root.committee, place)
    const share = shareOf(file, keys, deployment, place)
    const envelope = decodeBase64Url(root.envelope)
    try {
      checkEnvelope({ publicKey: key.publicKey, label, envelope })
    } catch (cause) {
      throw new NodeError(
        'COMMITTEE_INVALID',
        `${place}.envelope`,
        'it is not sealed to this committee for this chain and registry',
        { cause },
      )
    }
    return {
      resource: partResource(envelope),
      envelope: sha256Digest(envelope),
      configs: new Set(root.configs),
      part: () => ({ ...decryptPartially({ share, envelope, label, random }) }),
    }
  })
}
