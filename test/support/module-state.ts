import ts from "typescript";

// What a module keeps beyond a run, read off its text: everything that is made when it is imported and can be changed afterwards.

const made = /^(Map|Set|WeakMap|WeakSet|WeakRef|Array|ArrayBuffer|DataView|\w+Array)$/;
/** Classes of the language whose values nobody can change. */
const unchanging = /^(RegExp|TextEncoder|TextDecoder|Error)$/;
const mutators = /^(set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin)$/;
const copies = /^(map|flatMap|filter|slice|concat|from|of|keys|values|entries)$/;
const readOnly = /^(readonly\b|Readonly|ArrayLike<)/;

/** What is to be known of all files before one of them is looked at. */
export interface Surroundings {
  /** Functions that hand out closures over what can be changed. */
  makers: ReadonlySet<string>;
  /** Types that are read-only containers under a name of their own. */
  readOnlyTypes: ReadonlySet<string>;
}

const named = (node: ts.Node, source: ts.SourceFile): string => node.getText(source);
const inside = (node: ts.Expression): ts.Expression =>
  ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node)
    ? inside(node.expression)
    : node;
const asConst = (node: ts.Expression): boolean =>
  ts.isAsExpression(node)
    ? /^(const|readonly\b)/.test(node.type.getText())
    : ts.isSatisfiesExpression(node) && asConst(node.expression);

/** Whether an expression makes something that can be changed: a container, an object of a class. */
function makesState(expression: ts.Expression, source: ts.SourceFile): boolean {
  const node = inside(expression);
  if (ts.isArrayLiteralExpression(node)) return true;
  if (ts.isNewExpression(node)) return !unchanging.test(named(node.expression, source));
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return false;
  const { expression: of, name } = node.expression;
  const ofWhat = inside(of);
  if (ts.isIdentifier(ofWhat) && made.test(ofWhat.text)) return /^(of|from)$/.test(name.text);
  return copies.test(name.text) && /^(map|flatMap|filter|slice|concat)$/.test(name.text);
}

/** Visits what runs when `node` is evaluated: not the bodies of functions in it, but of those that are called where they stand. */
function atOnce(node: ts.Node, visit: (node: ts.Node) => void): void {
  if (ts.isFunctionLike(node)) return;
  visit(node);
  ts.forEachChild(node, (child) => atOnce(child, visit));
}

/** Whether a name is used inside of a function within `body`: the function keeps what it stands for. */
function captured(name: string, body: ts.Node): boolean {
  let found = false;
  const look = (node: ts.Node, within: boolean): void => {
    if (within && ts.isIdentifier(node) && node.text === name) found = true;
    ts.forEachChild(node, (child) => look(child, within || ts.isFunctionLike(child)));
  };
  ts.forEachChild(body, (child) => look(child, ts.isFunctionLike(child)));
  return found;
}

/** Variables of a function that its closures keep, and that can be changed. */
function keptByClosures(body: ts.Node, source: ts.SourceFile): string[] {
  const kept: string[] = [];
  atOnce(body, (node) => {
    if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name)) return;
    const changes = (node.parent.flags & ts.NodeFlags.Const) === 0;
    const holds = node.initializer !== undefined && !asConst(node.initializer) && makesState(node.initializer, source);
    const declared = node.type !== undefined && readOnly.test(named(node.type, source));
    if ((changes || (holds && !declared)) && captured(node.name.text, body)) kept.push(node.name.text);
  });
  return kept;
}

const bodyOf = (node: ts.Node): ts.Node | undefined =>
  ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isFunctionDeclaration(node) ? node.body : undefined;

/** What is to be known of these files before one of them is looked at. */
export const surroundingsOf = (sources: readonly ts.SourceFile[]): Surroundings => ({
  makers: new Set(sources.flatMap(makersOf)),
  readOnlyTypes: new Set(
    sources.flatMap((source) =>
      source.statements.flatMap((statement) =>
        ts.isTypeAliasDeclaration(statement) && readOnly.test(named(statement.type, source)) ? statement.name.text : [],
      ),
    ),
  ),
});

/** The functions of a file that hand out closures over what can be changed, by name. */
function makersOf(source: ts.SourceFile): string[] {
  return source.statements.flatMap((statement) => {
    if (ts.isFunctionDeclaration(statement) && statement.name && statement.body)
      return keptByClosures(statement.body, source).length > 0 ? statement.name.text : [];
    if (!ts.isVariableStatement(statement)) return [];
    return statement.declarationList.declarations.flatMap(({ name, initializer }) => {
      const body = initializer === undefined ? undefined : bodyOf(inside(initializer));
      return body !== undefined && keptByClosures(body, source).length > 0 ? named(name, source) : [];
    });
  });
}

/** The name that a path begins with: `a` of `a.b[0].c`. */
function rootOf(node: ts.Expression): ts.Identifier | undefined {
  const at = inside(node);
  if (ts.isIdentifier(at)) return at;
  if (ts.isPropertyAccessExpression(at) || ts.isElementAccessExpression(at)) return rootOf(at.expression);
  return ts.isNonNullExpression(at) ? rootOf(at.expression) : undefined;
}

/** What a write changes: the path that is assigned to, or whose contents a method changes. */
function written(node: ts.Node): ts.Expression | undefined {
  const isPath = (target: ts.Expression) =>
    ts.isPropertyAccessExpression(inside(target)) || ts.isElementAccessExpression(inside(target));
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    const assigns = kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
    return assigns && isPath(node.left) ? node.left : undefined;
  }
  if (ts.isPostfixUnaryExpression(node) || ts.isPrefixUnaryExpression(node)) {
    const steps = node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken;
    return steps && isPath(node.operand) ? node.operand : undefined;
  }
  if (ts.isDeleteExpression(node)) return node.expression;
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { expression: of, name } = node.expression;
  if (ts.isIdentifier(of) && of.text === "Object" && /^(assign|defineProperty|defineProperties)$/.test(name.text))
    return node.arguments[0];
  return mutators.test(name.text) ? of : undefined;
}

/** Whether a function around `node` declares the name itself. */
function isLocal(name: string, node: ts.Node): boolean {
  for (let at = node.parent; at && !ts.isSourceFile(at); at = at.parent) {
    let declares = false;
    if (ts.isFunctionLike(at)) for (const { name: own } of at.parameters) declares ||= declaredBy(own).includes(name);
    if (ts.isBlock(at) || ts.isForStatement(at) || ts.isForOfStatement(at) || ts.isForInStatement(at))
      ts.forEachChild(at, (child) => {
        const list = ts.isVariableStatement(child) ? child.declarationList : child;
        if (ts.isVariableDeclarationList(list))
          for (const one of list.declarations) declares ||= declaredBy(one.name).includes(name);
        if (ts.isFunctionDeclaration(child)) declares ||= child.name?.text === name;
      });
    if (declares) return true;
  }
  return false;
}
const declaredBy = (name: ts.BindingName): string[] =>
  ts.isIdentifier(name)
    ? [name.text]
    : name.elements.flatMap((e) => (ts.isOmittedExpression(e) ? [] : declaredBy(e.name)));

/** The names that a file has at its top: its own, and what it imports. */
function topNames(source: ts.SourceFile): Set<string> {
  const names = source.statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.flatMap(({ name }) => declaredBy(name));
    if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name)
      return [statement.name.text];
    const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : undefined;
    if (bindings === undefined) return [];
    return ts.isNamespaceImport(bindings) ? [bindings.name.text] : bindings.elements.map(({ name }) => name.text);
  });
  return new Set(names);
}

/**
 * What a file keeps beyond a run, by name. Found are variables that can be assigned; containers and objects of classes that are made at import
 * and not declared as read-only, at the top, in static fields and in closures; what is written to a name of the top or of another file; and
 * patterns that remember where they stopped.
 * @param surroundings what all files are, of which this is one
 */
export function stateOf(source: ts.SourceFile, { makers, readOnlyTypes }: Surroundings): string[] {
  const kept = new Set<string>();
  const top = topNames(source);
  const declared = (type: ts.TypeNode | undefined): boolean =>
    type !== undefined && (readOnly.test(named(type, source)) || readOnlyTypes.has(named(type, source)));
  /** What comes to be, called `name`, when an expression is evaluated at import. */
  const evaluated = (name: string, expression: ts.Expression, type: ts.TypeNode | undefined): void => {
    if (!declared(type) && !asConst(expression) && makesState(expression, source)) kept.add(name);
    atOnce(expression, (node) => {
      if (!ts.isCallExpression(node)) return;
      const callee = inside(node.expression);
      const body = bodyOf(callee);
      if (body !== undefined) for (const own of keptByClosures(body, source)) kept.add(`${name}: ${own}`);
      if (ts.isIdentifier(callee) && makers.has(callee.text)) kept.add(`${name}: ${callee.text}()`);
    });
  };
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    const isConst = (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
    for (const { name, initializer, type } of statement.declarationList.declarations) {
      if (!isConst) kept.add(named(name, source));
      if (initializer !== undefined) evaluated(named(name, source), initializer, type);
    }
  }
  const patterns = new Set(
    [...source.getText().matchAll(/^(?:export )?const (\w+)(?:: RegExp)? = \/.*\/[a-z]*[gy][a-z]*;$/gm)].map(
      ([, name]) => name,
    ),
  );
  const look = (node: ts.Node): void => {
    if (ts.isClassLike(node))
      for (const member of node.members) {
        const name = `${node.name?.text ?? "class"}.${member.name ? named(member.name, source) : "static {}"}`;
        if (ts.isClassStaticBlockDeclaration(member)) kept.add(name);
        if (!ts.isPropertyDeclaration(member)) continue;
        const has = (kind: ts.SyntaxKind) => member.modifiers?.some((one) => one.kind === kind) === true;
        if (!has(ts.SyntaxKind.StaticKeyword)) continue;
        if (!has(ts.SyntaxKind.ReadonlyKeyword)) kept.add(name);
        if (member.initializer !== undefined) evaluated(name, member.initializer, member.type);
      }
    const target = written(node);
    const root = target === undefined ? undefined : rootOf(target);
    if (root !== undefined && top.has(root.text) && !isLocal(root.text, root)) kept.add(`${root.text} is written to`);
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression: of, name } = node.expression;
      if (ts.isIdentifier(of) && patterns.has(of.text) && /^(test|exec)$/.test(name.text))
        kept.add(`${of.text}.lastIndex`);
    }
    ts.forEachChild(node, look);
  };
  look(source);
  return [...kept];
}
