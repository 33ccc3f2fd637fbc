import { canonicalBytes, type JsonValue } from '@sealpool/crypto'
import * as z from 'zod'
import { parseParameters } from '../computation/parse-parameters.js'

/** Longest run of a program, all of its runs one after the other. */
const LONGEST_MS = 3_600_000
/** Longest canonical JSON of the argument. */
const ARGUMENT_BYTES = 65_536
/** Released numbers keep their digits: a range beyond this says more about a mistake than about data. */
const LARGEST = 1e15

const nameSchema = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/, 'expected a lower-case ASCII name')
const boundSchema = z.number().min(-LARGEST).max(LARGEST)

/** Parameters of `program`: code of somebody else's, what it reads, and what may leave. */
export const programSchema = z
  .strictObject({
    runtime: z.enum(['quickjs', 'webassembly', 'pyodide', 'native']),
    /** Of the program's bytes as they lie in the pool's blob store. */
    code: z.templateLiteral([z.literal('sha256:'), z.string().regex(/^[0-9a-f]{64}$/)]),
    /** Which function is called. */
    entry: z
      .string()
      .regex(
        /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
        'expected the name of a function, in ASCII, at most 63 characters',
      ),
    /** Of the manifest's one pool. */
    tables: z
      .array(
        z.strictObject({
          table: nameSchema,
          columns: z.array(nameSchema).min(1).max(500),
          /** The most rows of one contributor that the program sees. */
          rows: z.int().min(1).max(1_000_000),
        }),
      )
      .min(1)
      .max(16),
    /** Public: given to every run. */
    argument: z.json(),
    /** One run for each contributor, or one for each block of contributors. */
    split: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('contributors'), atMost: z.int().min(1).max(100_000) }),
      z.strictObject({ kind: z.literal('blocks'), blocks: z.int().min(2).max(100_000) }),
    ]),
    /** The numbers that a run gives, and the public range that each is held to. */
    outputs: z
      .array(z.strictObject({ name: nameSchema, min: boundSchema, max: boundSchema }))
      .min(1)
      .max(64),
    /** Of one run. */
    limits: z.strictObject({
      memoryBytes: z.int().min(1_048_576).max(1_073_741_824),
      timeMs: z.int().min(1).max(600_000),
      steps: z.exactOptional(z.int().min(1)),
    }),
  })
  .superRefine((parameters, context) => {
    const issue = (path: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path, message })
    }
    const { tables, outputs, runtime, limits } = parameters
    tables.forEach(({ table, columns }, index) => {
      if (tables.findIndex((other) => other.table === table) < index)
        issue(['tables', index, 'table'], 'the table is listed twice')
      columns.forEach((column, at) => {
        if (columns.indexOf(column) < at)
          issue(['tables', index, 'columns', at], 'the column is listed twice')
      })
    })
    outputs.forEach(({ name, min, max }, index) => {
      if (outputs.findIndex((other) => other.name === name) < index)
        issue(['outputs', index, 'name'], 'names must differ')
      // Half of the smallest doubles is zero, by which nothing can be divided.
      if (!(min < max && max / 2 - min / 2 > 0)) issue(['outputs', index, 'max'], 'max must be above min')
    })
    const counted = runtime === 'quickjs' || runtime === 'webassembly'
    if (counted !== (limits.steps !== undefined)) {
      issue(
        ['limits', 'steps'],
        counted
          ? 'a run ends at the same place on every machine only with a bound of steps; give one'
          : `nobody counts the steps of ${runtime}; remove the bound`,
      )
    }
    if (runsOf(parameters) * limits.timeMs > LONGEST_MS) {
      issue(
        ['limits', 'timeMs'],
        `all runs together may take ${LONGEST_MS} ms; give each less time, or ask for fewer runs`,
      )
    }
    if (!argumentFits(parameters.argument)) {
      issue(['argument'], `expected at most ${ARGUMENT_BYTES} bytes of canonical JSON`)
    }
  })

/** Parsed parameters of `program`. */
export type ProgramParameters = z.output<typeof programSchema>

/** The most runs of a program: public, whatever the data is. */
export function runsOf({ split }: { readonly split: ProgramParameters['split'] }): number {
  return split.kind === 'contributors' ? split.atMost : split.blocks
}

/**
 * Parses the parameters.
 *
 * @param json - Any value.
 * @returns Parameters.
 * @throws ComputeError `PARAMETERS_INVALID` with the first offending place.
 */
export function parseProgram(json: unknown): ProgramParameters {
  return parseParameters(programSchema, json)
}

function argumentFits(argument: JsonValue): boolean {
  try {
    return canonicalBytes(argument).length <= ARGUMENT_BYTES
  } catch {
    return false
  }
}
