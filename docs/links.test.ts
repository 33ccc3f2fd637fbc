import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/*
 * Every relative link of a page points at a file that is there, and its anchor at a heading of it. Every page of docs/ can be
 * reached from the map, docs/README.md, and the map from the root's README.
 */
const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Folders that hold no pages of ours. `api` is generated. */
const passedOver = new Set(['node_modules', 'dist', 'api', 'out', '.git', '.tmp'])

/** All Markdown pages under a folder; change logs and changesets are written by a tool. */
function pagesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return passedOver.has(entry.name) ? [] : pagesUnder(path)
    return entry.name.endsWith('.md') && entry.name !== 'CHANGELOG.md' ? [path] : []
  })
}

const pages = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md'].map((name) => join(root, name)),
  ...['docs', 'packages', 'examples', 'bench', 'conformance'].flatMap((name) => pagesUnder(join(root, name))),
]

/** A page without what is code. */
function prose(text: string): string {
  return text.replaceAll(/^(```|~~~)[\s\S]*?^\1\s*$/gm, '').replaceAll(/`[^`\n]*`/g, '`code`')
}

/** Targets of a page's links and images, in the order of the page. */
function targetsOf(text: string): string[] {
  const plain = prose(text)
  const inline = [...plain.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
  const named = [...plain.matchAll(/^\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)]
  return [...inline, ...named].map((match) => match[1] ?? '')
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const anchors = new Set<string>()
  const body = text.replaceAll(/^(```|~~~)[\s\S]*?^\1\s*$/gm, '')
  for (const [, heading = ''] of body.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '')
    const slug = words
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    anchors.add(times === 0 ? slug : `${slug}-${times}`)
  }
  for (const [, id = ''] of body.matchAll(/<[a-z]+[^>]*\s(?:id|name)="([^"]+)"/g)) anchors.add(id)
  return anchors
}

/** What is wrong with a page's relative links; nothing in a page that is fine. */
function brokenLinks(page: string, top = root): string[] {
  const text = readFileSync(page, 'utf8')
  return targetsOf(text).flatMap((target) => {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return []
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : resolve(dirname(page), decodeURIComponent(path))
    const say = (what: string) => [`${relative(top, page)}: ${target} ${what}`]
    if (relative(top, file).startsWith('..')) return say('leaves the repository')
    if (!existsSync(file)) return say('is not there')
    if (anchor === undefined) return []
    if (!statSync(file).isFile() || !file.endsWith('.md')) return say('has an anchor and is no page')
    return anchorsOf(readFileSync(file, 'utf8')).has(anchor) ? [] : say('has no such heading')
  })
}

describe('links', () => {
  test('there are pages to look at', () => {
    expect(pages.length).toBeGreaterThan(20)
  })

  test.each(pages.map((page) => [relative(root, page), page] as const))('of %s lead somewhere', (_, page) => {
    expect(brokenLinks(page)).toEqual([])
  })

  test('every page of docs is reached from the map, and the map from the front page', () => {
    const map = join(root, 'docs/README.md')
    const reached = new Set([map])
    for (const page of reached) {
      for (const target of targetsOf(readFileSync(page, 'utf8'))) {
        const file = resolve(dirname(page), target.split('#')[0] ?? '')
        if (file.endsWith('.md') && existsSync(file) && file.startsWith(join(root, 'docs'))) reached.add(file)
      }
    }
    const missed = pagesUnder(join(root, 'docs')).filter((page) => !reached.has(page))
    expect(missed.map((page) => relative(root, page))).toEqual([])
    expect(targetsOf(readFileSync(join(root, 'README.md'), 'utf8'))).toContain('docs/README.md')
  })
})

describe('the link test itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-links-'))
  const found = (text: string): string[] => {
    mkdirSync(join(folder, 'sub'), { recursive: true })
    writeFileSync(
      join(folder, 'other.md'),
      '# One\n\n## Two `words`, too\n\n## One\n\n```\n# not a heading\n```\n',
    )
    writeFileSync(join(folder, 'sub/page.md'), text)
    try {
      return brokenLinks(join(folder, 'sub/page.md'), folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  test.each([
    '[a](../other.md)',
    '[a](../other.md#one) [b](../other.md#one-1)',
    '[a](../other.md#two-words-too)',
    '[a](<../other.md> "title")',
    '# Here\n[a](#here) [folder](..)',
    '[a](https://example.org/nowhere#x) [m](mailto:a@example.org)',
    '```\n[a](nowhere.md)\n```\nand `[a](nowhere.md)`',
    '[a]: ../other.md',
  ])('takes %j', (text) => {
    expect(found(text)).toEqual([])
  })

  test.each([
    ['[a](nowhere.md)', 'is not there'],
    ['![a](nowhere.png)', 'is not there'],
    ['[a]: nowhere.md', 'is not there'],
    ['[a](../other.md#three)', 'has no such heading'],
    ['[a](../other.md#one-2)', 'has no such heading'],
    ['[a](../other.md#not-a-heading)', 'has no such heading'],
    ['[a](#nowhere)', 'has no such heading'],
    ['[a](..#x)', 'has an anchor and is no page'],
    ['[a](../../../etc/passwd)', 'leaves the repository'],
  ])('finds %j', (text, problem) => {
    expect(found(text)).toEqual([expect.stringContaining(problem)])
  })
})
