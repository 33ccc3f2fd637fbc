import type { PlanShare } from '@sealpool/query'
import * as z from 'zod'

/** A share as it travels; how many numbers there are follows from the plan, which `requireShare` and `executeShares` check. */
export const planShareSchema: z.ZodType<PlanShare> = z.strictObject({
  releases: z.array(
    z.strictObject({
      groups: z.array(
        z.strictObject({ statistics: z.array(z.string()), bins: z.array(z.array(z.string())) }),
      ),
    }),
  ),
})
