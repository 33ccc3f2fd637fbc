/**
 * Which programs of a pool's own a node runs, and in what: measured, since it says who may have code run over data.
 * @module
 */
import type { Address, JsonObject } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'

/** The runtimes that a program may be written for. */
export const programRuntimes = ['quickjs', 'webassembly', 'pyodide', 'native'] as const

/** One of them. */
export type ProgramRuntime = (typeof programRuntimes)[number]

/** Null: programs are refused, before anybody is charged. */
export const programsSchema = z
  .strictObject({
    runtimes: z
      .array(z.enum(programRuntimes))
      .min(1)
      .refine((all) => new Set(all).size === all.length, 'expected each runtime once'),
    /** Runs of one program under way at the same time, each in a process of its own. */
    children: z.int().min(1).max(16).default(1),
  })
  .nullable()
  .default(null)

/** Checked settings of programs. */
export type ProgramSettings = NonNullable<z.output<typeof programsSchema>>

/** Those that are only as safe as the walls around their process. */
const needWalls: readonly ProgramRuntime[] = ['pyodide', 'native']

/**
 * @throws NodeError `CONFIG_INVALID` for a runtime that is never run without bubblewrap, where the settings ask for none; for programs beside
 * traces, which would tell a collector when a program ended
 */
export function requireProgramWalls(config: {
  readonly programs: ProgramSettings | null
  readonly sandbox: { readonly isolation: 'bubblewrap' | 'process' | 'best' }
  readonly trace: object | null
}): void {
  if (config.programs !== null && config.trace !== null) {
    throw new NodeError(
      'CONFIG_INVALID',
      'trace',
      'traces say when a program ended, which hangs on the data that it saw; leave out trace or programs',
    )
  }
  const bare = config.sandbox.isolation === 'process' ? needWalls : []
  const wrong = config.programs?.runtimes.filter((runtime) => bare.includes(runtime)) ?? []
  if (wrong.length === 0) return
  throw new NodeError(
    'CONFIG_INVALID',
    'programs.runtimes',
    `${wrong.join(' and ')} run under bubblewrap alone; set sandbox.isolation to bubblewrap, or leave them out`,
  )
}

/**
 * Without anchors a disk that was put back would have a program begun once more under one charge, and its runs may then end otherwise. That a
 * simulator has no secrets is no reason to let it: what is tried on it is what is meant to run elsewhere.
 * @throws NodeError `CONFIG_INVALID` for programs where charges are not anchored on the chain
 */
export function requireProgramAnchors({
  chain,
  programs,
}: {
  readonly chain: { readonly anchors: Address | null }
  readonly programs: ProgramSettings | null
}): void {
  if (programs === null || chain.anchors !== null) return
  const why =
    'a program is begun once, which its anchored charge ensures; set chain.anchors to the pools’ contract, or leave out programs'
  throw new NodeError('CONFIG_INVALID', 'programs', why)
}

/** @returns what of them is measured; nodes that run none keep the digests that they always had */
export function measuredPrograms(programs: ProgramSettings | null): JsonObject {
  if (programs === null) return {}
  return { programs: { runtimes: [...programs.runtimes].sort(), children: programs.children } }
}
