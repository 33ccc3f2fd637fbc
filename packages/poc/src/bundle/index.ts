/**
 * Bundling a builder's proof to the script whose digest a pool approves. Needs `esbuild` (optional peer).
 *
 * @module
 */
import { sha256Digest } from '@sealpool/crypto'
import { SandboxError } from '@sealpool/sandbox'
import { bundleModule } from '@sealpool/sandbox/bundle'
import { createQuickJsRuntime } from '@sealpool/sandbox/quickjs'
import type { PocDescription } from '../define/define-poc.js'
import { PocError } from '../errors.js'
import { describePoc, type PocCode } from '../run/describe-poc.js'

/** A bundled proof: code, digest, and what the code says about itself. */
export type BundledPoc = PocCode & PocDescription

/**
 * Bundles a module whose default export is `definePoc({ ... })`. The same sources give the same digest from any working
 * directory.
 *
 * @param options `entry`: path of the module
 * @returns code, digest, id, version and issuers, the last three as the bundled code itself says
 * @throws PocError `BUNDLE_FAILED` when it does not bundle (the cause names file and line), `CODE_INVALID` when it does not run
 * @example
 * ```ts no-run
 * import { bundlePoc } from '@sealpool/poc/bundle'
 * const poc = await bundlePoc({ entry: './payroll-proof.ts' })
 * console.log(poc.id, poc.digest)
 * ```
 */
export async function bundlePoc(options: { readonly entry: string }): Promise<BundledPoc> {
  let code: string
  try {
    code = (await bundleModule({ entry: options.entry })).code
  } catch (cause) {
    if (!(cause instanceof SandboxError)) throw cause
    // The sandbox's message ends with the place as well, which is told once.
    const ending = ` (${cause.place})`
    const said = cause.message.endsWith(ending) ? cause.message.slice(0, -ending.length) : cause.message
    throw new PocError('BUNDLE_FAILED', cause.place, said, { cause })
  }
  const poc: PocCode = { code, digest: sha256Digest(new TextEncoder().encode(code)) }
  const runtime = await createQuickJsRuntime()
  try {
    return { ...poc, ...(await describePoc(poc, runtime)) }
  } finally {
    await runtime.close()
  }
}
