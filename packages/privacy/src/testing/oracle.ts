import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Numbers computed elsewhere (Google's dp_accounting), read in place when they are there. */
export interface Oracle {
  readonly gaussian_sigma: readonly {
    readonly eps: number
    readonly delta: number
    readonly sigma_over_l2: number
  }[]
  readonly zcdp_to_eps: readonly { readonly rho: number; readonly delta: number; readonly eps: number }[]
  readonly keep_probability: readonly {
    readonly eps: number
    readonly delta: number
    readonly at: Readonly<Record<string, number>>
  }[]
  readonly keep_half_at: readonly { readonly eps: number; readonly delta: number; readonly optimal: number }[]
  readonly discrete_laplace: readonly { readonly scale: number; readonly p0: number; readonly var: number }[]
  readonly discrete_gaussian: readonly {
    readonly scale: number
    readonly p0: number
    readonly p1: number
    readonly var: number
  }[]
  readonly 'releases_that_fit_eps3_delta1e-6': readonly {
    readonly eps0: number
    readonly basic: number
    readonly zcdp: number
    readonly gaussian_same_rho_exact: number
  }[]
}

// Made elsewhere and used in place: data beside the checkout, not a part of it.
const path =
  process.env['SEALPOOL_DP_ORACLE'] ??
  fileURLToPath(new URL('../../../../../shared/data/dp/oracle.json', import.meta.url))

/** The oracle, or null (with a printed reason) where its file is not at hand. */
export const oracle: Oracle | null = existsSync(path)
  ? (JSON.parse(readFileSync(path, 'utf8')) as Oracle)
  : null
if (oracle === null) console.info(`skipped: no oracle numbers at ${path} (set SEALPOOL_DP_ORACLE)`)
