import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, posix, relative, sep } from 'node:path'
import ts from 'typescript'

/** One place where the house rules are broken. */
export interface Violation {
  readonly file: string
  readonly line: number
  readonly rule: 'arrow' | 'undeclared-import' | 'node-import' | 'ambient-authority' | 'name' | 'length'
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

/** Globals that read the clock, randomness, the network or the environment. */
const ambientGlobals = new Set([
  'fetch',
  'process',
  'Buffer',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'WebSocket',
  'XMLHttpRequest',
  'EventSource',
  'localStorage',
  'sessionStorage',
  'navigator',
  'performance',
  '__dirname',
  '__filename',
])
/** Members of otherwise harmless globals that do the same. */
const ambientMembers: Readonly<Record<string, readonly string[]>> = {
  Date: ['now'],
  Math: ['random'],
  crypto: ['getRandomValues', 'randomUUID'],
  subtle: ['generateKey'],
  AbortSignal: ['timeout'],
}
const vagueNames = /(^|\/)(utils?|helpers?|common|misc|shared|lib)(\.ts|\/)/
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
    else if (entry.name.endsWith('.ts')) found.push(path)
  }
  return found.sort()
}

/** Test files and test kits are not shipped; they may use what a test needs. */
function isShipped(path: string): boolean {
  return !/\.(test|test-d|fuzz|conformance)\.ts$/.test(path) && !/(^|\/)testing\//.test(path)
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
    if (vagueNames.test(inside)) {
      violations.push({ file, line: 1, rule: 'name', detail: 'the name does not say what is inside' })
    }
    const lines = text.split('\n').length - 1
    if (shipped && lines > longestFile && !inside.startsWith('abi/')) {
      violations.push({ file, line: lines, rule: 'length', detail: `${lines} lines, at most ${longestFile}` })
    }
    if (!shipped) continue
    const edge = rule.edges.some((place) =>
      place.endsWith('/') ? inside.startsWith(place) : inside === place,
    )
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
  const declared = declaredNames(tree)
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
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      if (argument !== undefined && ts.isStringLiteral(argument)) checkImport(node, argument.text)
      else if (!edge) report(node, 'node-import', 'a computed import outside an edge')
    }
    if (!edge) checkAmbient(node, declared, report)
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return violations
}

function declaredNames(tree: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (
      (ts.isVariableDeclaration(node) ||
        ts.isParameter(node) ||
        ts.isFunctionDeclaration(node) ||
        ts.isImportSpecifier(node) ||
        ts.isBindingElement(node)) &&
      node.name !== undefined &&
      ts.isIdentifier(node.name)
    ) {
      names.add(node.name.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return names
}

function checkAmbient(
  node: ts.Node,
  declared: ReadonlySet<string>,
  report: (node: ts.Node, rule: Violation['rule'], detail: string) => void,
): void {
  if (ts.isPropertyAccessExpression(node)) {
    const target = ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression
    if (ts.isIdentifier(target) && ambientMembers[target.text]?.includes(node.name.text)) {
      report(node, 'ambient-authority', `${target.text}.${node.name.text}`)
    }
    if (
      ts.isIdentifier(node.expression) &&
      node.expression.text === 'globalThis' &&
      ambientGlobals.has(node.name.text)
    ) {
      report(node, 'ambient-authority', `globalThis.${node.name.text}`)
    }
  }
  // Taking a member apart (`const { now } = Date`) or by a string (`globalThis['fetch']`) is the same authority.
  if (
    ts.isVariableDeclaration(node) &&
    ts.isObjectBindingPattern(node.name) &&
    node.initializer !== undefined &&
    ts.isIdentifier(node.initializer)
  ) {
    const source = node.initializer.text
    for (const { propertyName, name } of node.name.elements) {
      const member = (propertyName ?? name).getText()
      if (
        ambientMembers[source]?.includes(member) ||
        (source === 'globalThis' && ambientGlobals.has(member))
      ) {
        report(node, 'ambient-authority', `${source}.${member}`)
      }
    }
  }
  if (
    ts.isElementAccessExpression(node) &&
    ts.isIdentifier(node.expression) &&
    ts.isStringLiteral(node.argumentExpression)
  ) {
    const [source, member] = [node.expression.text, node.argumentExpression.text]
    if (ambientMembers[source]?.includes(member) || (source === 'globalThis' && ambientGlobals.has(member))) {
      report(node, 'ambient-authority', `${source}['${member}']`)
    }
  }
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'Date') {
    report(node, 'ambient-authority', 'Date() reads the clock')
  }
  if (
    ts.isNewExpression(node) &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === 'Date' &&
    (node.arguments?.length ?? 0) === 0
  ) {
    report(node, 'ambient-authority', 'new Date() reads the clock')
  }
  if (
    ts.isIdentifier(node) &&
    ambientGlobals.has(node.text) &&
    !declared.has(node.text) &&
    isValueUse(node)
  ) {
    report(node, 'ambient-authority', node.text)
  }
}

/** Whether an identifier is read as a value: not a property's name, a label, a type or a declaration. */
function isValueUse(node: ts.Identifier): boolean {
  const parent = node.parent
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false
  if (ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent) || ts.isMethodSignature(parent))
    return false
  if (ts.isMethodDeclaration(parent) || ts.isTypeReferenceNode(parent) || ts.isTypeQueryNode(parent))
    return false
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent) || ts.isQualifiedName(parent)) return false
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false
  if (ts.isLiteralTypeNode(parent) || ts.isNamedTupleMember(parent)) return false
  return true
}
