/** Files that systems write beside others, by their names in small letters. */
const names: readonly string[] = ['.ds_store', 'icon\r', 'thumbs.db', 'ehthumbs.db', 'desktop.ini']

/**
 * Did a system write this file, and not the person whose export it is: thumbnails and settings of folders, what macOS puts beside files
 * (`__MACOSX`, `._name`)? The rule of `@sealpool/refine` (`conformance/system-files/cases.json`), so that a file is judged where it is refined.
 *
 * @param path path of a file with `/`; of a folder with `/` behind it
 * @returns whether it is left out
 */
export function isSystemFile(path: string): boolean {
  const parts = path.split('/')
  const name = parts.at(-1) ?? ''
  return parts.includes('__MACOSX') || name.startsWith('._') || names.includes(name.toLowerCase())
}
