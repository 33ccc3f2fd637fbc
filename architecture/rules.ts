import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, posix, relative, sep } from 'node:path'
import ts from 'typescript'
import { ambientAuthority, declaringScopes } from './ambient-authority.js'

/** One place where the house rules are broken. */
export interface Violation {
  readonly file: string
  readonly line: number
  readonly rule:
    | 'arrow'
    | 'undeclared-import'
    | 'node-import'
    | 'edge-import'
    | 'ambient-authority'
    | 'name'
    | 'length'
  readonly detail: string
}

interface PackageRule {
  /** Sealpool packages it may import, all of them on a lower floor. */
  readonly mayImport: readonly string[]
  /** npm packages its shipped sources may import. */
  readonly external: readonly string[]
  /** Paths under src/ where the outside world may be touched: a folder ends in '/', otherwise one file. */
  readonly edges: readonly string[]
}

export interface Architecture {
  readonly floors: readonly (readonly string[])[]
  readonly packages: Readonly<Record<string, PackageRule>>
}

const vagueNames = /(^|[/-])(utils?|helpers?|common|misc|shared|lib)(\.[cm]?[jt]sx?$|\/)/i
const longestFile = 400
const nodeModules = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)])

/** Reads architecture/packages.json and checks that every allowed import goes to a lower floor. */
export function readArchitecture(root: string): Architecture {
  const architecture = JSON.parse(
    readFileSync(join(root, 'architecture/packages.json'), 'utf8'),
  ) as Architecture
  const floorOf = new Map(architecture.floors.flatMap((names, floor) => names.map((name) => [name, floor])))
  for (const [name, rule] of Object.entries(architecture.packages)) {
    const floor = floorOf.get(name)
    if (floor === undefined) throw new Error(`architecture/packages.json: ${name} stands on no floor`)
    for (const target of rule.mayImport) {
      const targetFloor = floorOf.get(target)
      if (targetFloor === undefined || targetFloor >= floor) {
        throw new Error(`architecture/packages.json: ${name} -> ${target} does not point down`)
      }
    }
  }
  return architecture
}

function sourceFiles(folder: string): string[] {
  const found: string[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) found.push(...sourceFiles(path))
    else if (/\.[cm]?[jt]sx?$/.test(entry.name)) found.push(path)
  }
  return found.sort()
}

/** Test files and test kits are not shipped; they may use what a test needs. */
function isShipped(path: string): boolean {
  return !/\.(test|test-d|fuzz|conformance)\.[cm]?[jt]sx?$/.test(path) && !/(^|\/)testing\//.test(path)
}

function packageNameOf(specifier: string): string {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}

/** Edges of a package's rule that name no folder or file: stale permissions. */
export function staleEdges(options: {
  readonly root: string
  readonly name: string
  readonly architecture: Architecture
}): string[] {
  const { root, name, architecture } = options
  return (architecture.packages[name]?.edges ?? []).filter(
    (edge) => !existsSync(join(root, 'packages', name, 'src', edge)),
  )
}

/**
 * Finds what breaks the house rules in one package: arrows that do not point down, imports that its rule does not
 * name, `node:` imports and ambient authority outside its edges, vague file names and files of more than one subject.
 */
export function checkPackage(options: {
  readonly root: string
  readonly name: string
  readonly architecture: Architecture
}): Violation[] {
  const { root, name, architecture } = options
  const rule = architecture.packages[name]
  if (rule === undefined) throw new Error(`no rule for the package ${name}`)
  const source = join(root, 'packages', name, 'src')
  const violations: Violation[] = []
  for (const path of sourceFiles(source)) {
    const inside = relative(source, path).split(sep).join('/')
    const text = readFileSync(path, 'utf8')
    const file = relative(root, path)
    const shipped = isShipped(inside)
    if (shipped && !file.endsWith('.ts')) {
      violations.push({ file, line: 1, rule: 'name', detail: 'sources are .ts files' })
    }
    if (vagueNames.test(inside)) {
      violations.push({ file, line: 1, rule: 'name', detail: 'the name does not say what is inside' })
    }
    const lines = text.split('\n').length - 1
    if (shipped && lines > longestFile && !inside.startsWith('abi/')) {
      violations.push({ file, line: lines, rule: 'length', detail: `${lines} lines, at most ${longestFile}` })
    }
    if (!shipped) continue
    const edge = isEdge(rule, inside)
    violations.push(...checkSource({ file, inside, text, name, rule, edge }))
  }
  return violations
}

function checkSource(options: {
  readonly file: string
  /** The same, from the package's src folder. */
  readonly inside: string
  readonly text: string
  readonly name: string
  readonly rule: PackageRule
  readonly edge: boolean
}): Violation[] {
  const { file, inside, text, name, rule, edge } = options
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true)
  const violations: Violation[] = []
  const report = (node: ts.Node, kind: Violation['rule'], detail: string) => {
    const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
    violations.push({ file, line, rule: kind, detail })
  }
  const checkImport = (node: ts.Node, specifier: string) => {
    if (specifier.startsWith('.')) {
      // A relative path out of the package's own sources would be an arrow that nobody sees.
      const target = posix.normalize(posix.join(posix.dirname(inside), specifier))
      if (target.startsWith('..')) report(node, 'arrow', `${specifier} leaves the package`)
      if (!edge && posix.basename(inside) !== 'index.ts' && !isTypeOnly(node)) {
        const file = target.replace(/\.js$/, '.ts')
        if (isEdge(rule, file)) report(node, 'edge-import', `${specifier} is an edge; have it passed in`)
      }
      if (!isShipped(target.replace(/\.js$/, '.ts'))) report(node, 'arrow', `${specifier} is not shipped`)
      return
    }
    if (nodeModules.has(specifier)) {
      if (!edge) report(node, 'node-import', `${specifier} outside an edge of ${name}`)
      return
    }
    const target = packageNameOf(specifier)
    if (target.startsWith('@sealpool/')) {
      const other = target.slice('@sealpool/'.length)
      if (other !== name && !rule.mayImport.includes(other)) {
        report(node, 'arrow', `${name} -> ${other} does not point down`)
      }
      return
    }
    if (!rule.external.includes(target)) report(node, 'undeclared-import', `${name} may not import ${target}`)
  }
  const ownRequire = declaringScopes(tree).has('require')
  const findAmbient = ambientAuthority(tree)
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      checkImport(node, node.moduleSpecifier.text)
    }
    if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      checkImport(node, node.argument.literal.text)
    }
    if (
      ts.isImportEqualsDeclaration(node) &&
      ts.isExternalModuleReference(node.moduleReference) &&
      ts.isStringLiteralLike(node.moduleReference.expression)
    ) {
      checkImport(node, node.moduleReference.expression.text)
    }
    if (ts.isCallExpression(node) && isModuleLoader(node.expression, ownRequire)) {
      const [argument] = node.arguments
      if (argument !== undefined && ts.isStringLiteralLike(argument)) checkImport(node, argument.text)
      else if (!edge) report(node, 'node-import', 'a computed import outside an edge')
    }
    const ambient = edge ? undefined : findAmbient(node)
    if (ambient !== undefined) report(node, 'ambient-authority', ambient)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return violations
}

/** `import()`, and CommonJS's `require()` and `require.resolve()` where the file has no `require` of its own. */
function isModuleLoader(callee: ts.Expression, ownRequire: boolean): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true
  if (ownRequire) return false
  if (ts.isIdentifier(callee)) return callee.text === 'require'
  return (
    ts.isPropertyAccessExpression(callee) &&
    ts.isIdentifier(callee.expression) &&
    callee.expression.text === 'require'
  )
}

/** Whether a file, by its path under src, may touch the outside world. */
function isEdge(rule: PackageRule, inside: string): boolean {
  return rule.edges.some((place) => (place.endsWith('/') ? inside.startsWith(place) : inside === place))
}

/** Whether an import or re-export takes types alone, which are gone at run time. */
function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  return ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
}
