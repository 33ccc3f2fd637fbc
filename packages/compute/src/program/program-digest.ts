import { type Digest, digestOf } from '@sealpool/crypto'

/** What runs a program: the names of the sandbox's engines. */
export type ProgramRuntime = 'quickjs' | 'webassembly' | 'pyodide' | 'native'

/**
 * Digest of a program, as policies list it and as votes, grants, permits and receipts carry it: it binds the engine and the function
 * beside the bytes, since the same bytes may be another program to another engine.
 *
 * @param program - `runtime`; `entry`: the function that is called; `code`: digest of the bytes.
 * @returns Digest.
 */
export function programDigest(program: {
  readonly runtime: ProgramRuntime
  readonly entry: string
  readonly code: Digest
}): Digest {
  const { runtime, entry, code } = program
  return digestOf({ format: 'sealpool/program', version: 1, runtime, entry, code })
}
