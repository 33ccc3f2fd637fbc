import type { JsonObject } from '@sealpool/crypto'

interface Rules {
  readonly purposes: readonly string[]
  readonly tables: readonly {
    readonly name: string
    readonly columns: readonly { readonly name: string; readonly min?: number; readonly max?: number }[]
  }[]
  readonly privacy: {
    readonly epsilon: number
    readonly perJob: { readonly epsilon: number }
    readonly minimumContributors: number
  }
}

/** A pool's rules for people: headings with one or two sentences each. */
export function policyInWords(policy: JsonObject): readonly (readonly [string, string])[] {
  const { purposes, tables, privacy } = policy as unknown as Rules
  const { epsilon, perJob, minimumContributors } = privacy
  const columns = tables.flatMap(({ columns }) =>
    columns.map(({ name, min, max }) => (min === undefined ? name : `${name} (${min} to ${max})`)),
  )
  const right = (100 * Math.exp(epsilon)) / (1 + Math.exp(epsilon))
  return [
    ['What for', purposes.join(', ')],
    ['What is read', `${columns.join(', ')}. Nothing else of the file.`],
    [
      'Who sees the file',
      'Nobody. Approved code reads it inside the node; answers are about many people, with noise.',
    ],
    [
      'How much all answers together may tell about you',
      `Epsilon ${epsilon} in the pool’s whole life, at most ${perJob.epsilon} for one job. Whoever sees every answer is right about a coin-toss fact of yours at most ${right.toFixed(1)} times of 100.`,
    ],
    ['Smallest group', `Groups below about ${minimumContributors} contributors are left out.`],
  ]
}
