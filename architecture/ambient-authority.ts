import ts from 'typescript'

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
  'Worker',
  'indexedDB',
  'eval',
  'Function',
  '__dirname',
  '__filename',
])
/** Members of otherwise harmless globals that do the same. */
const ambientMembers: Readonly<Record<string, readonly string[]>> = {
  Date: ['now'],
  Math: ['random'],
  AbortSignal: ['timeout'],
  Intl: ['DateTimeFormat'],
}
/** Names of the object that holds all globals. */
const globalObjects = new Set(['globalThis', 'self', 'window', 'global'])
/** Members that mean the same whatever object they are read from. */
const ambientAnywhere = new Set(['getRandomValues', 'randomUUID', 'generateKey'])

/**
 * Finds, in one source file, where the outside world is touched without having been passed in.
 *
 * @param tree - the file, with its parents set
 * @returns for a node, what it touches, or nothing
 */
export function ambientAuthority(tree: ts.SourceFile): (node: ts.Node) => string | undefined {
  const scopes = declaringScopes(tree)
  /** Whether a name means something that the file itself declares around this place. */
  const isOwn = (name: string, node: ts.Node): boolean => {
    const declared = scopes.get(name)
    for (
      let place: ts.Node | undefined = node;
      declared !== undefined && place !== undefined;
      place = place.parent
    ) {
      if (declared.has(place)) return true
    }
    return false
  }
  const isGlobal = (node: ts.Node): node is ts.Identifier => ts.isIdentifier(node) && !isOwn(node.text, node)

  /** The global that an expression names: `Date` and `globalThis.Date` alike. */
  const globalName = (expression: ts.Expression): string | undefined => {
    let node = expression
    while (isWrapper(node)) node = node.expression
    if (isGlobal(node)) return node.text
    const member = ts.isPropertyAccessExpression(node)
      ? node.name.text
      : ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)
        ? node.argumentExpression.text
        : undefined
    if (member === undefined) return undefined
    const object = globalName((node as ts.PropertyAccessExpression).expression)
    return object !== undefined && globalObjects.has(object) ? member : undefined
  }
  const memberOf = (source: ts.Expression, member: string): string | undefined => {
    const name = globalName(source)
    if (ambientAnywhere.has(member)) return `${name ?? '…'}.${member}`
    if (name === undefined) return undefined
    const touched = globalObjects.has(name)
      ? ambientGlobals.has(member)
      : ambientMembers[name]?.includes(member)
    return touched === true ? `${name}.${member}` : undefined
  }

  return (node) => {
    if (ts.isPropertyAccessExpression(node)) return memberOf(node.expression, node.name.text)
    if (ts.isElementAccessExpression(node)) {
      const { argumentExpression: member } = node
      if (ts.isStringLiteralLike(member)) return memberOf(node.expression, member.text)
      const name = globalName(node.expression)
      return name !== undefined && globalObjects.has(name) ? `${name}[…] by a computed name` : undefined
    }
    // Taking an object apart (`const { now } = Date`) reads its members as well.
    if (ts.isBindingElement(node) && ts.isVariableDeclaration(node.parent.parent)) {
      const { initializer } = node.parent.parent
      if (initializer !== undefined) return memberOf(initializer, (node.propertyName ?? node.name).getText())
    }
    if (ts.isCallExpression(node) && globalName(node.expression) === 'Date') return 'Date() reads the clock'
    if (
      ts.isNewExpression(node) &&
      globalName(node.expression) === 'Date' &&
      (node.arguments?.length ?? 0) === 0
    ) {
      return 'new Date() reads the clock'
    }
    if (!isGlobal(node) || !isValueUse(node)) return undefined
    if (ambientGlobals.has(node.text)) return node.text
    const carries = globalObjects.has(node.text) || Object.hasOwn(ambientMembers, node.text)
    return carries && isPassedOn(node) ? `${node.text} under another name` : undefined
  }
}

/** For every name that the file declares, the places within which it means that declaration. */
export function declaringScopes(tree: ts.SourceFile): ReadonlyMap<string, ReadonlySet<ts.Node>> {
  const scopes = new Map<string, Set<ts.Node>>()
  const visit = (node: ts.Node): void => {
    if (
      (ts.isVariableDeclaration(node) ||
        ts.isParameter(node) ||
        ts.isFunctionDeclaration(node) ||
        ts.isClassDeclaration(node) ||
        ts.isImportSpecifier(node) ||
        ts.isNamespaceImport(node) ||
        ts.isImportClause(node) ||
        ts.isBindingElement(node)) &&
      node.name !== undefined &&
      ts.isIdentifier(node.name)
    ) {
      const own = scopes.get(node.name.text) ?? new Set<ts.Node>()
      scopes.set(node.name.text, own.add(scopeOf(node.parent)))
    }
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return scopes
}

function scopeOf(start: ts.Node): ts.Node {
  let place = start
  while (
    place.parent !== undefined &&
    !ts.isFunctionLike(place) &&
    !ts.isBlock(place) &&
    !ts.isCaseBlock(place) &&
    !ts.isForStatement(place) &&
    !ts.isForOfStatement(place) &&
    !ts.isForInStatement(place) &&
    !ts.isCatchClause(place)
  ) {
    place = place.parent
  }
  return place
}

/** Whether an identifier is read as a value: not a property's name, a label, a type or a declaration. */
function isValueUse(node: ts.Identifier): boolean {
  const { parent } = node
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

/** Whether a global is handed on whole, so that its members could be read under another name. */
function isPassedOn(identifier: ts.Identifier): boolean {
  let node: ts.Node = identifier
  while (isWrapper(node.parent)) node = node.parent
  const { parent } = node
  const isObject =
    (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent)) &&
    parent.expression === node
  if (isObject || ts.isTypeOfExpression(parent)) return false
  if (ts.isNewExpression(parent) || ts.isCallExpression(parent)) return parent.expression !== node
  if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword)
    return false
  if (ts.isVariableDeclaration(parent)) return !ts.isObjectBindingPattern(parent.name)
  return !ts.isExpressionWithTypeArguments(parent)
}

/** Parentheses and type assertions: what they hold is the same value. */
function isWrapper(
  node: ts.Node,
): node is ts.ParenthesizedExpression | ts.AsExpression | ts.SatisfiesExpression | ts.NonNullExpression {
  return (
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node)
  )
}
