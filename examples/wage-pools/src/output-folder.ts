import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const marker = 'SEALPOOL-DEMO-OUTPUT.txt'

/**
 * Makes the demo's output folder empty. A folder with anything in it is emptied only when an earlier demo made it:
 * nobody loses files to a wrong `--out`.
 *
 * @throws Error with a message for people when the folder holds somebody else's files
 */
export function prepareOutputFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    if (!existsSync(join(folder, marker))) {
      throw new Error(`${folder} is not empty and was not made by this demo; name another folder with --out`)
    }
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, marker),
    'This folder was made by the Sealpool demo (npm run demo). The next run with the same --out empties it.\n',
  )
}
