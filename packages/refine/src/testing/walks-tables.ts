/** One table of walks, which `walks-*-refiner.ts` fill each in its own way. */
export const walksTables = {
  walks: {
    description: 'One row per walk.',
    columns: {
      day: { type: 'date', nullable: true, description: 'Day.' },
      steps: { type: 'integer', nullable: true, min: 0, max: 1_000_000, description: 'Steps.' },
      label: { type: 'text', nullable: true, maxLength: 20, description: 'What it was.' },
      fast: { type: 'boolean', nullable: true, description: 'Was it fast?' },
      km: { type: 'decimal', decimals: 2, unit: 'km', nullable: true, description: 'Length.' },
    },
  },
} as const
