/**
 * `['features', 0, 'name']` as `features[0].name`; the document itself is `$`.
 *
 * @param path - Path as zod reports it.
 * @returns Text for people and for an error's `place`.
 */
export function placeOf(path: readonly PropertyKey[]): string {
  const text = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
  return text === '' ? '$' : text
}
