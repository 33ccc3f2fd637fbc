import { type Digest, parseAddress, parseDigest } from '@sealpool/crypto'
import { checkAccess } from '../job/check-access.js'
import { type Given, usage } from './arguments.js'
import type { Command } from './command.js'
import { table } from './io.js'
import { readJsonObject } from './settings.js'

function codeOf(given: Given): { readonly code?: Digest } {
  const text = given.get('code')
  if (text === undefined) return {}
  try {
    return { code: parseDigest(text) }
  } catch {
    throw usage('--code', 'expected sha256: and 64 hexadecimal digits')
  }
}

/** Says who may ask. */
export const checkAccessCommand: Command = {
  name: 'access',
  summary: 'whether a wallet meets the pool’s access conditions, and what is missing; asks the chain alone',
  example: 'sealpool access 0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
  positionals: ['wallet'],
  options: {
    code: { value: 'DIGEST', help: 'digest of the computation’s code, where a condition lists apps' },
    restriction: { value: 'FILE', help: 'a restriction of the policy that holds now, JSON' },
  },
  details:
    'Exit code 1: a condition is not met, or cannot be told. The node judges again, at a block of its own. Whether a credential was\npresented to it (present-credential) the node alone knows: here it is unknown.',
  needs: 'read',
  async run({ given, opened }) {
    let wallet: ReturnType<typeof parseAddress>
    try {
      wallet = parseAddress(given.positionals[0] ?? '')
    } catch {
      throw usage('<wallet>', 'expected an address')
    }
    const { chain, policy } = opened()
    const restriction = given.get('restriction')
    const { verdict, block, unmet } = await checkAccess({
      chain,
      policy,
      wallet,
      ...codeOf(given),
      ...(restriction === undefined
        ? {}
        : { restrictions: [await readJsonObject(restriction, '--restriction')] }),
    })
    const rows = unmet.map((leaf) => [leaf.place, `is ${leaf.verdict}, must be ${leaf.wanted}`])
    const at = block === null ? 'there is no condition' : `at block ${block.number}`
    return {
      json: { verdict, block: block && { ...block, number: block.number.toString() }, unmet },
      text: table([['access', `${verdict} (${at})`], ...rows]),
      exitCode: verdict === 'yes' ? 0 : 1,
    }
  },
}
