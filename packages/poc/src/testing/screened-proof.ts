import { definePoc, labelFlips, machineText, madeUpNumbers } from '@sealpool/poc/define'

interface Export {
  readonly notes: readonly string[]
  readonly steps: readonly number[]
  readonly rows: readonly { readonly kind: string; readonly label: string }[]
}

/** A proof with each screen, and one that tries to refuse. */
export default definePoc<Export>({
  id: 'sealpool/screened',
  version: '1.0.0',
  input: (raw) => raw as Export,
  checks: { some: ({ steps }) => ({ passed: steps.length > 0, place: 'steps' }) },
  screens: {
    text: machineText({ texts: ({ notes }) => notes }),
    numbers: madeUpNumbers({ series: ({ steps }) => ({ steps }) }),
    labels: labelFlips({ rows: ({ rows }) => rows }),
    endless: () => {
      const deeper = (): number => 1 + deeper()
      return { suspicion: deeper() }
    },
  },
  screenLoss: 0.2,
  score: { quality: 1 },
  minimumScore: 1,
})
