import { defineRefiner, zodColumns } from '@sealpool/refine/define'
import * as z from 'zod'

/** Columns out of zod, bundled with it. */
export default defineRefiner({
  id: 'zod',
  version: '1.0.0',
  source: 'json',
  tables: {
    days: {
      description: 'One row per day.',
      columns: zodColumns(
        z.object({
          day: z.iso.date().meta({ description: 'Day.' }),
          steps: z.int().min(0).nullable().meta({ description: 'Steps.' }),
        }),
      ),
    },
  },
  map: () => ({ days: [{ day: '2026-01-01', steps: null }] }),
})
