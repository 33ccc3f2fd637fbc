import { definePoc, refuse } from '@sealpool/poc/define'

interface Payslip {
  readonly wage: number
  readonly sector: string
}

/** What a payslip is worth: whether it has the right shape, and a wage that can be. It is not signed, so anyone can make one up. */
export default definePoc<Payslip>({
  id: 'practice/payslip',
  version: '1.0.0',
  input: (raw) => {
    const { wage, sector } = raw as Record<string, unknown>
    if (typeof wage !== 'number') return refuse('WRONG_FORMAT', 'wage')
    if (sector !== 'mill' && sector !== 'mine') return refuse('WRONG_FORMAT', 'sector')
    return { wage, sector }
  },
  checks: {
    plausible: ({ wage }) => ({ passed: wage >= 1 && wage <= 100, place: 'wage', refusal: 'IMPLAUSIBLE' }),
  },
  score: { quality: 1 },
})
