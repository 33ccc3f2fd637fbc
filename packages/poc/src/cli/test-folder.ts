import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalize } from '@sealpool/crypto'
import type { JobRuntime } from '@sealpool/sandbox'
import * as z from 'zod'
import type { BundledPoc } from '../bundle/index.js'
import type { PocVerdict } from '../verdict/verdict.js'
import { UsageError } from './arguments.js'
import { judgeFile } from './judge-file.js'
import type { IsOwnOutput } from './own-output.js'
import { isSystemFile } from './system-file.js'
import { type FileFault, faultOf, UnreadableFile } from './unreadable-file.js'

/** What one labelled example came to. */
export interface ExampleOutcome {
  readonly name: string
  readonly agrees: boolean
  /** What differs from the label, in words. */
  readonly differences: readonly string[]
  /** Why it could not be read, so that nothing was judged. */
  readonly error?: FileFault
}

const EXPECTED = '.expected.json'

function labelSchema() {
  const share = z.number().min(0).max(1)
  const label = z.strictObject({
    valid: z.boolean(),
    refusal: z.string().optional(),
    least: share.optional(),
    most: share.optional(),
    owner: z
      .string()
      .regex(/^0x[0-9a-fA-F]{40}$/)
      .optional(),
    mediaType: z.string().optional(),
    at: z.int().min(0).optional(),
    duplicate: z.boolean().optional(),
    novelty: share.optional(),
    attributes: z.record(z.string(), z.json()).optional(),
    review: z.array(z.string()).optional(),
  })
  // What is valid is refused with nothing: such a label would never be met.
  return label.refine(({ valid, refusal }) => !valid || refusal === undefined, { path: ['refusal'] })
}

/**
 * Judges every labelled example of a folder: `<name>.<ending>` beside `<name>.expected.json` with `valid`, and as wanted `refusal`,
 * `least` and `most` (of the score), `attributes`, `review` (the screens that ask for one), and what the host would know: `owner`, `mediaType`,
 * `at`, `duplicate`, `novelty`.
 *
 * @param options proof, runtime, folder, and `isOwnOutput`: which files the command's own answer goes to, which are no examples
 * @returns an outcome for each example, by name
 * @throws UsageError for a folder without examples, a label that is none, or a label without its file
 */
export async function testFolder(options: {
  readonly poc: BundledPoc
  readonly runtime: JobRuntime
  readonly folder: string
  readonly isOwnOutput?: IsOwnOutput
}): Promise<readonly ExampleOutcome[]> {
  const { poc, runtime, folder, isOwnOutput = async () => false } = options
  const files = await readdir(folder).catch(() => {
    throw new UsageError(`${folder} is not a folder that can be read`)
  })
  const labels = files.filter((file) => file.endsWith(EXPECTED)).sort()
  if (labels.length === 0) throw new UsageError(`${folder} holds no <name>${EXPECTED}`)
  const outcomes: ExampleOutcome[] = []
  for (const label of labels) {
    const name = label.slice(0, -EXPECTED.length)
    const own = files.filter((one) => nameOf(one) === name)
    const [file] = own
    if (file === undefined) throw new UsageError(`${label} has no file ${name}.<ending> beside it`)
    if (own.length > 1) throw new UsageError(`${label} has several files ${name}.<ending> beside it`)
    const expected = await readLabel(join(folder, label))
    const { owner = `0x${'0'.repeat(40)}`, mediaType, at, duplicate, novelty } = expected
    try {
      const verdict = await judgeFile({
        poc,
        runtime,
        file: join(folder, file),
        owner: owner as `0x${string}`,
        mediaType,
        at,
        duplicate,
        novelty,
      })
      const differences = differencesOf(verdict, expected)
      outcomes.push({ name, agrees: differences.length === 0, differences })
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error
      // The others are judged all the same.
      const differences = [`cannot be read (${error.remedy})`]
      outcomes.push({ name, agrees: false, differences, error: faultOf(error) })
    }
  }
  for (const file of exampleNames(files).others) {
    if (await isOwnOutput(join(folder, file))) continue
    outcomes.push({ name: file, agrees: false, differences: [`has no label ${nameOf(file)}${EXPECTED}`] })
  }
  return outcomes
}

/**
 * Which files of a folder of examples are judged.
 *
 * @param files names of all files in it
 * @returns `labelled`: labels and the files that they name; `others`: what has no label, hidden files and those of systems left out. Both sorted
 */
export function exampleNames(files: readonly string[]): {
  readonly labelled: readonly string[]
  readonly others: readonly string[]
} {
  const shown = files
    .filter((file) => (file.endsWith(EXPECTED) || nameOf(file) !== undefined) && !isSystemFile(file))
    .sort()
  const isLabelled = (file: string) => file.endsWith(EXPECTED) || files.includes(`${nameOf(file)}${EXPECTED}`)
  return { labelled: shown.filter(isLabelled), others: shown.filter((file) => !isLabelled(file)) }
}

/** Name of an example: what stands before its one ending; undefined for labels and what is hidden. */
function nameOf(file: string): string | undefined {
  const dot = file.lastIndexOf('.')
  return file.endsWith(EXPECTED) || file.startsWith('.') || dot <= 0 ? undefined : file.slice(0, dot)
}

type Label = z.infer<ReturnType<typeof labelSchema>>

async function readLabel(file: string): Promise<Label> {
  let given: unknown
  try {
    given = JSON.parse(await readFile(file, 'utf8'))
  } catch {
    throw new UsageError(`${file} is no label; it says { "valid": true } at least`)
  }
  const label = labelSchema().safeParse(given)
  if (label.success) return label.data
  const [issue] = label.error.issues
  const field = issue?.code === 'unrecognized_keys' ? issue.keys.join(', ') : (issue?.path.join('.') ?? '')
  throw new UsageError(
    field === ''
      ? `${file} is no label; it says { "valid": true } at least`
      : `${file} is no label: ${field} is not what a label says there`,
  )
}

function differencesOf(verdict: PocVerdict, expected: Label): string[] {
  const differences: string[] = []
  const found = verdict.refusal?.code
  if (verdict.valid !== expected.valid) {
    differences.push(verdict.valid ? 'is valid' : `is refused with ${found} at ${verdict.refusal?.place}`)
  } else if (expected.refusal !== undefined && found !== expected.refusal) {
    differences.push(`is refused with ${found}, not with ${expected.refusal}`)
  }
  if (expected.least !== undefined && verdict.score < expected.least) {
    differences.push(`scores ${verdict.score}, below ${expected.least}`)
  }
  if (expected.most !== undefined && verdict.score > expected.most) {
    differences.push(`scores ${verdict.score}, above ${expected.most}`)
  }
  const asking = verdict.evidence.filter(({ result }) => result === 'review').map(({ check }) => check)
  if (expected.review !== undefined && asking.sort().join() !== [...expected.review].sort().join()) {
    differences.push(`is to be reviewed for ${asking.join(', ') || 'nothing'}`)
  }
  for (const [name, value] of Object.entries(expected.attributes ?? {})) {
    const own = verdict.attributes[name]
    // In whatever order their fields stand.
    if (own === undefined || canonicalize(own) !== canonicalize(value)) {
      differences.push(`attribute ${name} is ${JSON.stringify(verdict.attributes[name])}`)
    }
  }
  return differences
}
