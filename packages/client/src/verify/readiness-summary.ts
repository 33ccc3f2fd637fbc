import type { Check } from '@sealpool/attest'

/** One line of the answer in people's words. */
export interface SummaryLine {
  readonly id: 'hardware' | 'code' | 'fresh' | 'keys' | 'policy' | 'registered'
  readonly title: string
  readonly result: Check['result']
  /** Why not, for each check that did not pass; what it means, when all passed. */
  readonly detail: string
  /** The checks that it stands for. */
  readonly checks: readonly string[]
}

const lines: readonly (Pick<SummaryLine, 'id' | 'title'> & { readonly fine: string })[] = [
  {
    id: 'hardware',
    title: 'Confidential hardware vouches for the node',
    fine: 'The maker’s certificates and the state of the machine were checked.',
  },
  {
    id: 'code',
    title: 'The node runs the code that the pool allows',
    fine: 'What was measured at its start is what the policy and the registry name.',
  },
  {
    id: 'fresh',
    title: 'The node proved this just now, to you',
    fine: 'Its proof was made for a random number of yours.',
  },
  {
    id: 'keys',
    title: 'Only this node can open what you seal',
    fine: 'The pool’s key is the node’s own, made for this policy, and stands on chain.',
  },
  {
    id: 'policy',
    title: 'The rules that you read are the pool’s rules',
    fine: 'Their digest is the one on chain.',
  },
  {
    id: 'registered',
    title: 'The node is registered for this pool and active',
    fine: 'The registry on chain lists it with these keys.',
  },
]

const simulatedHardware = {
  title: 'A SIMULATOR vouches for the node: no hardware protects your data',
  fine: 'The pool’s policy allows a simulator. Fit for development only.',
}

const lineOf: Readonly<Record<string, SummaryLine['id']>> = {
  'attestation-policy': 'code',
  'measurement-on-chain': 'code',
  'measurement-logged': 'code',
  nonce: 'fresh',
  'key-set': 'keys',
  'pool-key-statement': 'keys',
  'pool-key-on-chain': 'keys',
  'policy-on-chain': 'policy',
  live: 'policy',
  'node-on-chain': 'registered',
}

/**
 * Says a checklist in people's words. Every check belongs to one line (the ones about quote, certificates and platform to the
 * hardware), and a line passes only when all of its checks did.
 *
 * @param checks of a readiness
 * @param simulated whether no hardware stands behind the node
 * @returns six lines, always in the same order
 */
export function readinessSummary(checks: readonly Check[], simulated: boolean): readonly SummaryLine[] {
  return lines.map(({ id, ...usual }) => {
    const { title, fine } = id === 'hardware' && simulated ? simulatedHardware : usual
    const own = checks.filter((check) => (lineOf[check.id] ?? 'hardware') === id)
    const open = own.filter(({ result }) => result !== 'pass')
    const failed = open.filter(({ result }) => result === 'fail')
    const result = failed.length > 0 ? 'fail' : open.length > 0 || own.length === 0 ? 'not-checked' : 'pass'
    // What was not reached says nothing beside what failed.
    const reasons = failed.length > 0 ? failed : open
    const detail =
      result === 'pass' ? fine : reasons.map((check) => `${check.title}: ${check.detail}`).join('; ')
    return { id, title, result, detail, checks: own.map((check) => check.id) }
  })
}
