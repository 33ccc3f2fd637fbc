import {
  type AccessVerdict,
  ContractsError,
  decideAccess,
  parseAccessRules,
  readAccess,
  type UnmetLeaf,
} from '@sealpool/contracts'
import { type Address, type Digest, digestToHex, type JsonObject } from '@sealpool/crypto'
import type { Client } from 'viem'
import { getBlockNumber } from 'viem/actions'

/** What is asked by {@link checkAccess}. */
export interface CheckAccessOptions {
  /** A viem client on the pool's chain. Whoever answers its requests is trusted for what the chain says. */
  readonly chain: Client
  /** The pool's policy, as its digest stands on the chain. */
  readonly policy: JsonObject
  /** Who would ask. */
  readonly wallet: Address
  /** Digest of the computation's code, where a condition lists apps; default: a query, which has none. */
  readonly code?: Digest
  /** Restrictions of the policy that hold now, as the pool published them; default: none, and only the policy's condition is judged. */
  readonly restrictions?: readonly JsonObject[]
}

/** Whether a wallet would be let in, and what keeps it out. */
export interface AccessCheck {
  /** `yes` where there is no condition. A node decides by itself, at a block of its own. */
  readonly verdict: AccessVerdict
  /** The block by which it was judged, and its time in unix seconds. */
  readonly block: { readonly number: bigint; readonly timestamp: number } | null
  /**
   * What is missing, each at its place, for example `policy.access.use.all[1].erc20`. Of `any` one of those named is enough. Whether a
   * `credential` was presented its node alone knows: it is `unknown` here.
   */
  readonly unmet: readonly UnmetLeaf[]
}

/**
 * Judges a pool's access conditions for a wallet, before anything is asked of a node: all of it is public, and no node learns of it.
 *
 * @param options - chain, policy and wallet: see {@link CheckAccessOptions}
 * @returns the verdict with what is missing
 * @throws ContractsError `ARGUMENT_INVALID` for rules that this release does not understand, `CHAIN_UNREACHABLE`; CryptoError
 * `DIGEST_INVALID`
 */
export async function checkAccess(options: CheckAccessOptions): Promise<AccessCheck> {
  const { chain, policy, wallet, code, restrictions = [] } = options
  const subject = { wallet, code: code === undefined ? null : digestToHex(code) }
  const rules = [policy, ...restrictions].flatMap((document, index) => {
    const place = index === 0 ? 'policy.access' : `restrictions[${index - 1}].access`
    const { access } = document
    return access === undefined ? [] : [{ place, condition: parseAccessRules(access, place).use }]
  })
  if (rules.length === 0) return { verdict: 'yes', block: null, unmet: [] }
  const blockNumber = await getBlockNumber(chain, { cacheTime: 0 }).catch((cause: unknown) => {
    throw new ContractsError('CHAIN_UNREACHABLE', 'checkAccess', 'the chain does not say its newest block', {
      cause,
    })
  })
  const judged = await Promise.all(
    rules.map(async ({ place, condition }) => {
      const reading = await readAccess(chain, { condition, ...subject, blockNumber })
      const { verdict, unmet } = decideAccess(condition, subject, reading)
      const { number, timestamp } = reading.block
      return {
        verdict,
        block: { number, timestamp },
        unmet: unmet.map((leaf) => ({ ...leaf, place: `${place}.use.${leaf.place}` })),
      }
    }),
  )
  const verdicts = judged.map(({ verdict }) => verdict)
  return {
    verdict: verdicts.includes('no') ? 'no' : verdicts.includes('unknown') ? 'unknown' : 'yes',
    block: judged[0]?.block ?? null,
    unmet: judged.flatMap(({ unmet }) => unmet),
  }
}
