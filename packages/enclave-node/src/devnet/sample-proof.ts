/**
 * The proof of contribution of the devnet's pool: made-up payslips, each for the wallet that it names. The bundled script stands in
 * `sample-code.ts`.
 * @module
 */
import { type CheckResult, definePoc, refuse } from '@sealpool/poc/define'

interface Payslip {
  readonly account: string
  readonly wage: number
}

export default definePoc<Payslip>({
  id: 'sealpool/devnet-payslip',
  version: '1.0.0',
  input: (raw) => {
    if (typeof raw !== 'object' || raw === null) return refuse('MALFORMED_EXPORT', 'file')
    const { account, wage } = raw as Record<string, unknown>
    if (typeof account !== 'string') return refuse('MALFORMED_EXPORT', 'account')
    if (typeof wage !== 'number') return refuse('MALFORMED_EXPORT', 'wage')
    return { account, wage }
  },
  checks: {
    owner: ({ account }, { facts }): CheckResult => ({
      passed: account.toLowerCase() === facts.owner,
      dimension: 'ownership',
      place: 'account',
      refusal: 'WRONG_OWNER',
    }),
    wage: ({ wage }) => ({ passed: wage >= 1 && wage <= 100, place: 'wage' }),
  },
  score: { ownership: 1, quality: 1 },
})
