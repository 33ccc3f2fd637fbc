import { relative } from 'node:path'
import type { Plugin } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The test files that take longest, the longest first: from 130 s to 45 s on a quiet machine with two cores, in November 2026. A file
 * that is not here, and takes longer than these, belongs here.
 */
export const slowest: readonly string[] = [
  'docs/snippets.test.ts',
  'packages/enclave-node/src/cli/committee-nodes.test.ts',
  'packages/enclave-node/src/runtime/walled-programs.test.ts',
  'packages/enclave-node/src/backup/backup-node.test.ts',
  'packages/enclave-node/src/cli/devnet.test.ts',
  'packages/enclave-node/src/testing/port-suites.test.ts',
  'packages/crypto/src/every-field.test.ts',
  'packages/sandbox/src/pyodide/pyodide.test.ts',
  'packages/enclave-node/src/runtime/programs.test.ts',
  'packages/poc/src/farming/farms.test.ts',
]

/**
 * Puts what takes longest before the rest, so that no worker is left with it at the end while the others have nothing to do.
 *
 * @param files - what is to be ordered
 * @param pathOf - a file's path from the project's folder, as in {@link slowest}
 * @returns the same files: those that take longest by their place in {@link slowest}, then the others in the order given
 */
export function slowestFirst<File>(files: readonly File[], pathOf: (file: File) => string): File[] {
  const place = (file: File): number => {
    const index = slowest.indexOf(pathOf(file))
    return index < 0 ? slowest.length : index
  }
  return [...files].sort((a, b) => place(a) - place(b))
}

/** Without a former run's results, as in CI, vitest takes a long text for a long test: the files of some of the longest are short. */
class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config
    return slowestFirst(await super.sort(files), ({ moduleId }) => relative(root, moduleId))
  }
}

/**
 * Lets the test files that take longest start first. A plugin, because a sequencer that the configuration names
 * would win over `--sequence.shuffle.files`.
 */
export function startSlowestFirst(): Plugin {
  return {
    name: 'sealpool:slowest-first',
    configureVitest: ({ vitest }) => {
      const { sequence } = vitest.config
      if (sequence.sequencer === BaseSequencer) sequence.sequencer = SlowestFirst
    },
  }
}
