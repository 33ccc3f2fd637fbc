import type { Plugin } from 'vitest/config'

/** Every property test draws from this seed, so that a commit that passed once passes again. */
const fixedSeed = 20_261_122

/** What `SEALPOOL_PROPERTY_SEED` asks for: nothing for the fixed seed, `random` for a new one in each test file, or a seed to repeat. */
function seedAsked(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const asked = environment['SEALPOOL_PROPERTY_SEED'] ?? String(fixedSeed)
  if (asked === 'random') return undefined
  const seed = Number(asked)
  if (asked.trim() === '' || !Number.isInteger(seed)) {
    throw new Error(
      'SEALPOOL_PROPERTY_SEED is neither a whole number nor `random`: take the seed that a failed run printed',
    )
  }
  return seed
}

const seeded = '\0sealpool:fast-check'

/**
 * Gives tests a fast-check with its seed set: a plugin, because a set-up file would load fast-check for every test
 * file, whether it holds properties or not.
 *
 * @param environment - the environment's variables; `SEALPOOL_PROPERTY_SEED` is read
 */
export function propertySeed(environment: Readonly<Record<string, string | undefined>>): Plugin {
  const seed = seedAsked(environment)
  return {
    name: 'sealpool:property-seed',
    enforce: 'pre',
    resolveId: (source, importer) =>
      source === 'fast-check' && importer !== seeded && seed !== undefined ? seeded : undefined,
    load: (id) =>
      id === seeded
        ? `import fc from 'fast-check'
fc.configureGlobal({ seed: ${seed} })
export * from 'fast-check'
export default fc`
        : undefined,
  }
}
