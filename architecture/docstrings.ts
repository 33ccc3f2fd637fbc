import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

/** A public symbol whose documentation is missing or says too little. */
export interface DocumentationGap {
  readonly file: string
  readonly line: number
  readonly symbol: string
  /** What is missing: the docstring itself, `@param name`, or `@returns`. */
  readonly missing: string
}

/**
 * Lists what the docstrings of a package's public symbols leave out: a public symbol is one that an entry of the package's
 * manifest exports. A function needs a `@param` with text for each parameter and a `@returns` unless it returns nothing.
 *
 * @param options - `root`: the repository's folder; `name`: the package's folder under `packages/`
 * @returns the gaps, by file and line; none when the documentation is whole
 */
export function documentationGaps({
  root,
  name,
}: {
  readonly root: string
  readonly name: string
}): DocumentationGap[] {
  const folder = join(root, 'packages', name)
  const entries = publicEntries(folder)
  const program = ts.createProgram(entries, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  })
  const checker = program.getTypeChecker()
  const seen = new Set<ts.Symbol>()
  const gaps: DocumentationGap[] = []
  for (const entry of entries) {
    const source = program.getSourceFile(entry)
    const module = source && checker.getSymbolAtLocation(source)
    if (!module) continue
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      if (seen.has(symbol)) continue
      seen.add(symbol)
      const declaration = symbol.declarations?.find((at) =>
        at.getSourceFile().fileName.startsWith(join(folder, 'src')),
      )
      if (!declaration) continue
      const at = declaration.getSourceFile()
      const line = at.getLineAndCharacterOfPosition(declaration.getStart()).line + 1
      for (const missing of gapsOf(symbol, checker))
        gaps.push({ file: relative(root, at.fileName), line, symbol: exported.name, missing })
    }
  }
  return gaps.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
}

/** The sources behind the entries of `exports` in the package's manifest. */
function publicEntries(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly '@sealpool/source': string }>>
  }
  return Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [join(folder, entry['@sealpool/source'])],
  )
}

function gapsOf(symbol: ts.Symbol, checker: ts.TypeChecker): string[] {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim()
  const tags = symbol.getJsDocTags(checker)
  if (text === '' && tags.length === 0) return ['docstring']
  const gaps: string[] = text === '' ? ['docstring'] : []
  const declaration = symbol.declarations?.find((at): at is ts.FunctionDeclaration =>
    ts.isFunctionDeclaration(at),
  )
  const signature = declaration && checker.getSignatureFromDeclaration(declaration)
  if (!declaration || !signature) return gaps
  const described = tags
    .filter(({ name }) => name === 'param')
    .map(({ text }) => ts.displayPartsToString(text).trim())
    .filter((words) => /\s/.test(words))
  for (const [place, parameter] of declaration.parameters.entries()) {
    const name = ts.isIdentifier(parameter.name) ? parameter.name.text : undefined
    const found =
      name === undefined
        ? described.length > place
        : described.some((words) => words.split(/\s/, 1)[0] === name)
    if (!found) gaps.push(`@param ${name ?? `of place ${place + 1}`}`)
  }
  const returned = checker.typeToString(signature.getReturnType())
  const returns = tags.some(
    ({ name, text }) => name === 'returns' && ts.displayPartsToString(text).trim() !== '',
  )
  if (!returns && !/^(void|never|Promise<void>)$/.test(returned)) gaps.push('@returns')
  return gaps
}
