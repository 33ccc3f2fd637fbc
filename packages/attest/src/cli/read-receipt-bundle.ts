import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isBundleFile, parseReceiptBundle, type ReceiptBundle } from '../receipt/bundle.js'
import { readBytes, UnreadableError } from './read-file.js'

/**
 * Reads a receipt bundle from a folder; files that do not belong to one are left alone.
 *
 * @param folder path
 * @returns the bundle
 * @throws UnreadableError when the folder or its `receipt.json` cannot be read; AttestError `BAD_RECEIPT` when a file is not
 *   in canonical form
 */
export async function readReceiptBundle(folder: string): Promise<ReceiptBundle> {
  let names: string[]
  try {
    names = (await readdir(folder)).filter(isBundleFile)
  } catch {
    throw new UnreadableError(`The folder ${folder} cannot be read.`)
  }
  if (!names.includes('receipt.json')) throw new UnreadableError(`There is no receipt.json in ${folder}.`)
  const entries = await Promise.all(
    names.map(async (name) => [name, await readBytes(join(folder, name))] as const),
  )
  return parseReceiptBundle(Object.fromEntries(entries))
}
