import { createRequire } from 'node:module'

/** The version of this package, from its manifest. */
export function ownVersion(): string {
  const { version } = createRequire(import.meta.url)('@sealpool/attest/package.json') as {
    readonly version: string
  }
  return version
}
