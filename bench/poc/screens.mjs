// How often the screen of texts asks for a review of REAL texts by people: the paragraphs of each README among the packages that are
// installed here, taken as one contribution. They are technical prose of many authors, some of it surely not by hand, so that the figure
// is an upper bound of what the screen does to their like, and says nothing of other kinds of text. Run: node bench/poc/screens.mjs
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineText, REVIEW_FROM } from '@sealpool/poc/define'

const root = new URL('../../node_modules/', import.meta.url).pathname
const packages = readdirSync(root)
  .filter((name) => !name.startsWith('.') && name !== '@sealpool')
  .flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(root, name)).map((own) => `${name}/${own}`) : [name],
  )

/** Paragraphs of prose: without code, tables, lists, headings and HTML. */
function paragraphsOf(text) {
  return text
    .replaceAll(/```[\s\S]*?(```|$)/g, '')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter(
      (paragraph) =>
        /^[A-Za-z`"'([]/.test(paragraph) && !/^[-*+|>#]|^\d+\.|^\s{4}|\n\s*[-*|]/.test(paragraph),
    )
    .filter((paragraph) => (paragraph.match(/[a-z]{3,}/g)?.length ?? 0) >= 8)
}

const screen = machineText({ texts: (texts) => texts })
const context = { facts: { uniqueness: { duplicate: false }, owner: '0x00' }, mediaType: 'text/plain' }
const seen = new Set()
let looked = 0
const asked = []
for (const name of packages) {
  let text
  try {
    const file = readdirSync(join(root, name)).find((one) => /^readme\.(md|markdown)$/i.test(one))
    if (file === undefined) continue
    text = readFileSync(join(root, name, file), 'utf8')
  } catch (error) {
    if (error.code === 'ENOTDIR' || error.code === 'ENOENT') continue
    throw error
  }
  const paragraphs = paragraphsOf(text)
  // Packages of one family often share a README.
  if (seen.has(paragraphs.join())) continue
  seen.add(paragraphs.join())
  const found = screen(paragraphs, context)
  if (found === null) continue
  looked++
  if (found.suspicion >= REVIEW_FROM)
    asked.push(`${name} (${found.suspicion.toFixed(2)}, ${paragraphs.length} paragraphs)`)
}
console.log(`READMEs with at least 8 paragraphs: ${looked}; the screen asks for a review of ${asked.length}`)
for (const one of asked) console.log(`  ${one}`)
