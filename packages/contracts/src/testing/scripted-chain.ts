import { type Client, createClient, custom } from 'viem'

/** What a chain answers, by method: a value, an error that is thrown, or a function of the parameters. */
export type Answers = Readonly<Record<string, unknown>>

/** A client of a chain that answers what a test says, and nothing else. */
export function chainThat(answers: Answers): Client {
  const request = async ({ method, params }: { method: string; params?: unknown }) => {
    const answer = answers[method]
    const given: unknown = typeof answer === 'function' ? answer(params) : answer
    if (given instanceof Error) throw given
    if (given === undefined) throw new Error(`not scripted: ${method}`)
    return given
  }
  return createClient({ transport: custom({ request }, { retryCount: 0 }), pollingInterval: 5 })
}
