/**
 * From a cell to code that keeps its names in boxes (names.ts).
 *
 *     let count = 0; function inc() { return ++count }
 *
 * becomes
 *
 *     incː.i = inc; countː.i = 0; function inc() { return ++countː.v }
 *
 * Declared functions, classes, enums and namespaces keep a local declaration, which fills the box; everything else about them goes through
 * it. Imports become data that the host acts on before the cell runs. What happens to types is the compiler's business, after this.
 */
import type ts from "typescript";
import type { NameKind } from "./names.js";
import type { BoundFile, Internals, TypeScript } from "./typescript.js";

/** The letter that marks what is ours in compiled code: a letter that nobody writes, so that error messages can be cleaned of it. */
export const mark = "ː";
/**
 * The object through which compiled code reaches the host: `import`, `meta`, the value of the last expression, and what a cell waits through
 * (`live`, and `lives` for the steps of a loop): after the cell was interrupted it waits for ever.
 */
export const hostName: string = `cell${mark}`;

/** An import that is done before the cell runs. */
export interface CellImport {
  specifier: string;
  /** Import attributes, such as `type: "json"`. */
  attributes?: Record<string, string>;
  /** Names of the cell with what they stand for: an export's name, `default`, `*` for all exports, `=` for what `require` gives. */
  bindings: [local: string, exported: string][];
}

/** What a cell declares and needs, found while it was rewritten. */
export interface CellNames {
  declares: Record<string, NameKind>;
  /** All names, its own and earlier cells', that the code has a box for. */
  uses: Set<string>;
  imports: CellImport[];
}

/** What the rewriting needs to know of the cell. */
export interface CellScope {
  file: BoundFile;
  checker: ts.TypeChecker;
  /** Whether a declaration belongs to an earlier cell and has a value there. */
  isEarlier(declaration: ts.Declaration, name: string): boolean;
  /** Whether the last expression's value is to be kept. */
  keepLast: boolean;
}

/** The name of the parameter that holds a name's box. */
export const boxName = (name: string): string => `${name}${mark}`;

/** Whether `await` stands at the top level, outside of every function. */
export function hasTopLevelAwait(ts: TypeScript, file: ts.SourceFile): boolean {
  const visit = (node: ts.Node): boolean => {
    if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) return true;
    if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.AwaitUsing) === ts.NodeFlags.AwaitUsing)
      return true;
    if (ts.isFunctionLike(node)) {
      // A computed name and a decorator belong to the place where the function stands.
      return (node.name !== undefined && ts.isComputedPropertyName(node.name) && visit(node.name)) || false;
    }
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return false;
    // The left side of a long chain of operators is walked in a loop: a cell may hold thousands of terms.
    let inner = node;
    while (ts.isBinaryExpression(inner)) {
      if (visit(inner.right)) return true;
      inner = inner.left;
    }
    return inner === node ? (ts.forEachChild(node, visit) ?? false) : visit(inner);
  };
  return ts.forEachChild(file, visit) ?? false;
}

/** Makes the transformer for a cell; `names` is filled while it works. */
export function rewriteCell(
  ts: TypeScript,
  scope: CellScope,
): { names: CellNames; transform: ts.TransformerFactory<ts.SourceFile> } {
  const names: CellNames = { declares: {}, uses: new Set(), imports: [] };
  return {
    names,
    transform: (context) => (file) => new Rewriter(ts, scope, names, context).file(file),
  };
}

/**
 * The transformer for the factories of JSX elements, which the compiler names by itself: to be run last.
 * @param roots names of factories that are names of the session
 */
export function rewriteFactories(
  ts: TypeScript,
  roots: ReadonlySet<string>,
  names: CellNames,
): ts.TransformerFactory<ts.SourceFile> {
  return (context) => {
    const f = context.factory;
    const visit = (node: ts.Node): ts.Node => {
      // Whoever wrote a name stands at a place; the compiler's own do not.
      if (!ts.isIdentifier(node) || node.pos >= 0 || !roots.has(node.text))
        return ts.visitEachChild(node, visit, context);
      names.uses.add(node.text);
      return f.createPropertyAccessExpression(f.createIdentifier(boxName(node.text)), "v");
    };
    const visitCalls = (node: ts.Node): ts.Node => {
      const visited = ts.visitEachChild(node, visitCalls, context);
      if (!ts.isCallExpression(visited) || visited.expression.pos >= 0) return visited;
      return f.updateCallExpression(
        visited,
        visit(visited.expression) as ts.Expression,
        visited.typeArguments,
        visited.arguments.map((argument) =>
          ts.isPropertyAccessExpression(argument) && argument.pos < 0 ? (visit(argument) as ts.Expression) : argument,
        ),
      );
    };
    return (file) => ts.visitEachChild(file, visitCalls, context);
  };
}

type Target = "i" | "c" | "v";

class Rewriter {
  private readonly f: ts.NodeFactory;
  private readonly locals: ReadonlyMap<string, ts.Symbol>;
  private readonly hoisted: ts.Statement[] = [];
  /** Names of the terms of a chain of operators, while one of them is visited. */
  private termNames: Map<string, string | undefined> | undefined;
  /** How many functions the visitor is in: a `var` there is not the cell's. */
  private depth = 0;

  constructor(
    private readonly ts: TypeScript,
    private readonly scope: CellScope,
    private readonly names: CellNames,
    private readonly context: ts.TransformationContext,
  ) {
    this.f = context.factory;
    // The compiler's own tables have `__x` with a third underscore.
    const named = [...(scope.file.locals ?? [])].map(
      ([name, symbol]) => [ts.unescapeLeadingUnderscores(name as ts.__String), symbol] as const,
    );
    this.locals = new Map(named);
  }

  file(file: ts.SourceFile): ts.SourceFile {
    const { ts, f } = this;
    const statements: ts.Statement[] = [];
    const last = file.statements[file.statements.length - 1];
    for (const statement of file.statements) {
      const keep = statement === last && this.scope.keepLast;
      statements.push(...this.topLevel(statement, keep));
    }
    return f.updateSourceFile(
      file,
      ts.setTextRange(f.createNodeArray([...this.hoisted, ...statements]), file.statements),
    );
  }

  // --- names ---

  /** The session's name that an identifier stands for, if any. */
  private nameOf(node: ts.Identifier, symbol: ts.Symbol | undefined): string | undefined {
    const declarations = symbol?.declarations;
    if (!declarations) return undefined;
    const own = this.locals.get(node.text)?.declarations;
    for (const declaration of declarations) {
      if (own?.includes(declaration)) return this.isOwn(node, declaration) ? node.text : undefined;
      if (this.scope.isEarlier(declaration, node.text)) return node.text;
    }
    return undefined;
  }

  /** Whether an identifier stands for a value, and is not the name of a property or a declaration. */
  private isUse(node: ts.Identifier): boolean {
    const { ts } = this;
    const { parent } = node;
    if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
    if (ts.isMetaProperty(parent)) return false;
    return ts.isExportAssignment(parent) || (ts as unknown as Internals).isExpressionNode(node);
  }

  /** The same for a use of the name. */
  private nameOfUse(node: ts.Identifier): string | undefined {
    const known = this.termNames;
    if (!known) return this.nameOf(node, this.scope.checker.getSymbolAtLocation(node));
    if (!known.has(node.text)) known.set(node.text, this.nameOf(node, this.scope.checker.getSymbolAtLocation(node)));
    return known.get(node.text);
  }

  /** Whether a name that the cell declares has a box, seen from a place. */
  private isOwn(node: ts.Node, declaration: ts.Declaration): boolean {
    const { ts } = this;
    if (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Ambient) return false;
    if (ts.isVariableDeclaration(declaration) && isUsing(ts, declaration)) return false;
    // Inside of a class its name is a constant that belongs to it, as in JavaScript; so it is in an enum and a namespace.
    if (
      ts.isClassDeclaration(declaration) ||
      ts.isEnumDeclaration(declaration) ||
      ts.isModuleDeclaration(declaration)
    ) {
      for (let at: ts.Node = node; at; at = at.parent) {
        if (at === declaration) return false;
        if (ts.isSourceFile(at)) break;
      }
    }
    return true;
  }

  private box(name: string): ts.Identifier {
    this.names.uses.add(name);
    return this.f.createIdentifier(boxName(name));
  }

  private access(name: string, target: Target): ts.PropertyAccessExpression {
    return this.f.createPropertyAccessExpression(this.box(name), target);
  }

  /** A statement that gives a name its value. */
  private set(name: string, target: Target, value: ts.Expression, at?: ts.Node): ts.Statement {
    const { ts, f } = this;
    const statement = f.createExpressionStatement(f.createAssignment(this.access(name, target), value));
    return at ? ts.setTextRange(statement, at) : statement;
  }

  private declare(name: string, kind: NameKind): void {
    this.names.declares[name] = kind;
    this.names.uses.add(name);
  }

  // --- statements at the top level ---

  private topLevel(statement: ts.Statement, keepLast: boolean): ts.Statement[] {
    const { ts, f } = this;
    if (ts.isExpressionStatement(statement)) {
      const visited = this.visit(statement) as ts.ExpressionStatement;
      return [keepLast ? this.last(visited.expression, statement) : visited];
    }
    if (ts.isImportDeclaration(statement)) return this.importDeclaration(statement);
    if (ts.isImportEqualsDeclaration(statement)) return this.importEquals(statement);
    if (ts.isExportDeclaration(statement)) {
      const { moduleSpecifier } = statement;
      if (moduleSpecifier && ts.isStringLiteral(moduleSpecifier) && !statement.isTypeOnly)
        this.names.imports.push({ specifier: moduleSpecifier.text, bindings: [] });
      return [];
    }
    if (ts.isExportAssignment(statement)) {
      const expression = this.visit(statement.expression) as ts.Expression;
      return [
        keepLast
          ? this.last(expression, statement)
          : ts.setTextRange(f.createExpressionStatement(expression), statement),
      ];
    }
    if (isAmbient(ts, statement) || ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
      return [];
    if (ts.isVariableStatement(statement)) return this.variables(statement);
    if (ts.isFunctionDeclaration(statement)) return this.functionDeclaration(statement);
    if (ts.isClassDeclaration(statement)) return this.classDeclaration(statement);
    if (ts.isEnumDeclaration(statement)) {
      this.declare(statement.name.text, "let");
      const visited = this.visitInner(statement) as ts.EnumDeclaration;
      const plain = f.updateEnumDeclaration(
        visited,
        withoutExport(ts, visited.modifiers),
        visited.name,
        visited.members,
      );
      return [plain, this.set(statement.name.text, "i", f.createIdentifier(statement.name.text))];
    }
    if (ts.isModuleDeclaration(statement) && ts.isIdentifier(statement.name))
      return this.namespaceDeclaration(statement);
    return [this.visit(statement) as ts.Statement];
  }

  private last(value: ts.Expression, at: ts.Node): ts.Statement {
    const { ts, f } = this;
    const place = f.createPropertyAccessExpression(f.createIdentifier(hostName), "last");
    return ts.setTextRange(f.createExpressionStatement(f.createAssignment(place, value)), at);
  }

  private variables(statement: ts.VariableStatement): ts.Statement[] {
    const { ts, f } = this;
    const list = statement.declarationList;
    if (list.declarations.some((d) => isUsing(ts, d))) return [this.visitInner(statement) as ts.Statement];
    const target: Target = list.flags & ts.NodeFlags.Const ? "c" : list.flags & ts.NodeFlags.Let ? "i" : "v";
    const statements: ts.Statement[] = [];
    for (const declaration of list.declarations) {
      const expression = this.declaration(declaration, target);
      if (expression) statements.push(ts.setTextRange(f.createExpressionStatement(expression), declaration));
    }
    return statements;
  }

  /** A declaration as an assignment; undefined where there is nothing to do (`var x;`). */
  private declaration(declaration: ts.VariableDeclaration, target: Target): ts.Expression | undefined {
    const { ts, f } = this;
    const kind: NameKind = target === "c" ? "const" : target === "i" ? "let" : "var";
    for (const name of boundNames(ts, declaration.name)) this.declare(name, kind);
    const { initializer } = declaration;
    if (!initializer && target === "v") return undefined;
    if (ts.isIdentifier(declaration.name)) {
      const value = initializer ? this.named(initializer, declaration.name.text) : f.createVoidZero();
      return f.createAssignment(this.access(declaration.name.text, target), value);
    }
    const value = initializer ? (this.visit(initializer) as ts.Expression) : f.createVoidZero();
    const assignment = f.createAssignment(this.pattern(declaration.name, target), value);
    return ts.isObjectBindingPattern(declaration.name) ? f.createParenthesizedExpression(assignment) : assignment;
  }

  /** A binding pattern as the pattern of an assignment to boxes. */
  private pattern(pattern: ts.BindingName, target: Target): ts.Expression {
    const { ts, f } = this;
    if (ts.isIdentifier(pattern)) return this.access(pattern.text, target);
    const withDefault = (element: ts.BindingElement): ts.Expression => {
      const place = this.pattern(element.name, target);
      if (!element.initializer) return place;
      const value = ts.isIdentifier(element.name)
        ? this.named(element.initializer, element.name.text)
        : (this.visit(element.initializer) as ts.Expression);
      return f.createAssignment(place, value);
    };
    if (ts.isArrayBindingPattern(pattern))
      return f.createArrayLiteralExpression(
        pattern.elements.map((element) => {
          if (ts.isOmittedExpression(element)) return element;
          return element.dotDotDotToken ? f.createSpreadElement(withDefault(element)) : withDefault(element);
        }),
      );
    return f.createObjectLiteralExpression(
      pattern.elements.map((element) => {
        if (element.dotDotDotToken) return f.createSpreadAssignment(withDefault(element));
        const property = element.propertyName ?? (element.name as ts.Identifier);
        const name = ts.isIdentifier(property)
          ? f.createIdentifier(property.text)
          : (this.visit(property) as ts.PropertyName);
        return f.createPropertyAssignment(name, withDefault(element));
      }),
    );
  }

  /** An initialiser; a function or class without a name gets the one that it would have had in a declaration. */
  private named(initializer: ts.Expression, name: string): ts.Expression {
    const { ts, f } = this;
    const value = this.visit(initializer) as ts.Expression;
    const inner = (ts as unknown as Internals).skipOuterExpressions(initializer);
    const anonymous =
      ts.isArrowFunction(inner) ||
      ((ts.isFunctionExpression(inner) || ts.isClassExpression(inner)) && inner.name === undefined);
    if (!anonymous) return value;
    const property =
      name === "__proto__" ? f.createComputedPropertyName(f.createStringLiteral(name)) : f.createIdentifier(name);
    const object = f.createObjectLiteralExpression([f.createPropertyAssignment(property, value)]);
    return f.createPropertyAccessExpression(f.createParenthesizedExpression(object), name);
  }

  private functionDeclaration(statement: ts.FunctionDeclaration): ts.Statement[] {
    const { ts, f } = this;
    if (!statement.body) return [];
    const visited = this.visit(statement) as ts.FunctionDeclaration;
    const modifiers = withoutExport(ts, visited.modifiers);
    if (!statement.name) {
      const value = f.createFunctionExpression(
        modifiers as ts.Modifier[] | undefined,
        visited.asteriskToken,
        undefined,
        visited.typeParameters,
        visited.parameters,
        visited.type,
        visited.body as ts.Block,
      );
      return [ts.setTextRange(f.createExpressionStatement(f.createParenthesizedExpression(value)), statement)];
    }
    const name = statement.name.text;
    this.declare(name, "function");
    this.hoisted.push(this.set(name, "i", f.createIdentifier(name)));
    return [
      f.updateFunctionDeclaration(
        visited,
        modifiers,
        visited.asteriskToken,
        visited.name,
        visited.typeParameters,
        visited.parameters,
        visited.type,
        visited.body,
      ),
    ];
  }

  private classDeclaration(statement: ts.ClassDeclaration): ts.Statement[] {
    const { ts, f } = this;
    const visited = this.visit(statement) as ts.ClassDeclaration;
    const plain = f.updateClassDeclaration(
      visited,
      withoutExport(ts, visited.modifiers),
      visited.name,
      visited.typeParameters,
      visited.heritageClauses,
      visited.members,
    );
    if (!statement.name) return [];
    this.declare(statement.name.text, "class");
    return [plain, this.set(statement.name.text, "i", f.createIdentifier(statement.name.text))];
  }

  private namespaceDeclaration(statement: ts.ModuleDeclaration): ts.Statement[] {
    const { ts, f } = this;
    // Only types: nothing of it is left at run time.
    if ((ts as unknown as Internals).getModuleInstanceState(statement) === 0) return [];
    const name = (statement.name as ts.Identifier).text;
    const symbol = this.locals.get(name);
    const merged = (symbol?.declarations ?? []).some((d) => ts.isFunctionDeclaration(d) || ts.isClassDeclaration(d));
    if (!merged) this.declare(name, "let");
    this.depth++;
    const visited = this.visitInner(statement) as ts.ModuleDeclaration;
    this.depth--;
    const plain = f.updateModuleDeclaration(visited, withoutExport(ts, visited.modifiers), visited.name, visited.body);
    return merged ? [plain] : [plain, this.set(name, "i", f.createIdentifier(name))];
  }

  // --- imports ---

  private importDeclaration(statement: ts.ImportDeclaration): ts.Statement[] {
    const { ts } = this;
    const { importClause: clause, moduleSpecifier } = statement;
    if (!ts.isStringLiteral(moduleSpecifier) || clause?.isTypeOnly) return [];
    const bindings: CellImport["bindings"] = [];
    const add = (name: ts.Identifier, exported: string) => {
      if (!this.isValue(name)) return;
      this.declare(name.text, "import");
      bindings.push([name.text, exported]);
    };
    if (clause?.name) add(clause.name, "default");
    const named = clause?.namedBindings;
    if (named && ts.isNamespaceImport(named)) add(named.name, "*");
    if (named && ts.isNamedImports(named))
      for (const element of named.elements)
        if (!element.isTypeOnly) add(element.name, (element.propertyName ?? element.name).text);
    // An import of types alone is none, as in any TypeScript.
    if (clause && bindings.length === 0) return [];
    const attributes = Object.fromEntries(
      (statement.attributes?.elements ?? []).flatMap(({ name, value }) =>
        ts.isStringLiteral(value) ? [[name.text, value.text]] : [],
      ),
    );
    this.names.imports.push({
      specifier: moduleSpecifier.text,
      ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
      bindings,
    });
    return [];
  }

  private importEquals(statement: ts.ImportEqualsDeclaration): ts.Statement[] {
    const { ts, f } = this;
    if (statement.isTypeOnly || !this.isValue(statement.name)) return [];
    const { moduleReference, name } = statement;
    if (ts.isExternalModuleReference(moduleReference)) {
      if (!ts.isStringLiteral(moduleReference.expression)) return [];
      this.declare(name.text, "import");
      this.names.imports.push({ specifier: moduleReference.expression.text, bindings: [[name.text, "="]] });
      return [];
    }
    const expression = (entity: ts.EntityName): ts.Expression => {
      if (ts.isQualifiedName(entity))
        return f.createPropertyAccessExpression(expression(entity.left), entity.right.text);
      const known = this.nameOf(entity, this.scope.checker.getSymbolAtLocation(entity));
      return known === undefined ? f.createIdentifier(entity.text) : this.access(known, "v");
    };
    this.declare(name.text, "const");
    return [this.set(name.text, "c", expression(moduleReference), statement)];
  }

  /** Whether an imported name has a value; one that nothing is known of has. */
  private isValue(name: ts.Identifier): boolean {
    const { ts } = this;
    const { checker } = this.scope;
    const symbol = checker.getSymbolAtLocation(name);
    if (!symbol || !(symbol.flags & ts.SymbolFlags.Alias)) return true;
    const target = checker.getAliasedSymbol(symbol);
    return checker.isUnknownSymbol(target) || (target.flags & ts.SymbolFlags.Value) !== 0;
  }

  // --- everything else ---

  private readonly visit = (node: ts.Node): ts.Node => {
    const { ts, f } = this;
    if (ts.isIdentifier(node)) {
      if (!this.isUse(node)) return node;
      const name = this.nameOfUse(node);
      return name === undefined ? node : ts.setTextRange(this.access(name, "v"), node);
    }
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return node;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return node;
    if (ts.isShorthandPropertyAssignment(node)) return this.shorthand(node);
    if (ts.isBinaryExpression(node)) return this.binary(node);
    if (ts.isCallExpression(node)) return this.call(node);
    if (ts.isTaggedTemplateExpression(node)) {
      const visited = this.visitInner(node) as ts.TaggedTemplateExpression;
      if (!this.isBoxed(node.tag)) return visited;
      return f.updateTaggedTemplateExpression(
        visited,
        this.detached(visited.tag, node.tag),
        visited.typeArguments,
        visited.template,
      );
    }
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
      return f.createPropertyAccessExpression(f.createIdentifier(hostName), "meta");
    if (this.depth === 0) {
      if (ts.isAwaitExpression(node))
        return f.updateAwaitExpression(node, this.through("live", this.visit(node.expression) as ts.Expression));
      if (ts.isForOfStatement(node) && node.awaitModifier) return this.forAwait(node);
      if (ts.isVariableStatement(node) && this.isTopLevelVar(node.declarationList)) {
        const statements = this.variables(node);
        return statements.length === 1 ? statements[0] : f.createBlock(statements);
      }
      if (ts.isForStatement(node) && node.initializer && this.isTopLevelVar(node.initializer)) return this.forVar(node);
      if ((ts.isForInStatement(node) || ts.isForOfStatement(node)) && this.isTopLevelVar(node.initializer))
        return this.forEachVar(node);
    }
    if (ts.isFunctionLike(node) || ts.isClassStaticBlockDeclaration(node) || ts.isPropertyDeclaration(node)) {
      this.depth++;
      const visited = this.visitInner(node);
      this.depth--;
      return visited;
    }
    return this.visitInner(node);
  };

  private visitInner(node: ts.Node): ts.Node {
    return this.ts.visitEachChild(node, this.visit, this.context);
  }

  private shorthand(node: ts.ShorthandPropertyAssignment): ts.Node {
    const { ts, f } = this;
    const name = this.nameOf(node.name, this.scope.checker.getShorthandAssignmentValueSymbol(node));
    if (name === undefined) return this.visitInner(node);
    const value = this.access(name, "v");
    const fallback = node.objectAssignmentInitializer;
    return ts.setTextRange(
      f.createPropertyAssignment(
        f.createIdentifier(node.name.text),
        fallback ? f.createAssignment(value, this.visit(fallback) as ts.Expression) : value,
      ),
      node,
    );
  }

  /** Walks the left side of a chain of operators in a loop: it may be thousands deep. */
  private binary(node: ts.BinaryExpression): ts.Node {
    const { ts, f } = this;
    const spine: ts.BinaryExpression[] = [];
    let inner: ts.Expression = node;
    while (ts.isBinaryExpression(inner)) {
      spine.push(inner);
      inner = inner.left;
    }
    // All terms of the chain stand in one scope: a name is looked up once, since from deep inside of the chain the way up is long.
    const known = new Map<string, string | undefined>();
    const term = (expression: ts.Expression): ts.Expression => {
      const outer = this.termNames;
      this.termNames = ts.isIdentifier(expression) ? known : undefined;
      const visited = this.visit(expression) as ts.Expression;
      this.termNames = outer;
      return visited;
    };
    let left = term(inner);
    for (const part of spine.reverse())
      left = f.updateBinaryExpression(part, left, part.operatorToken, term(part.right));
    return left;
  }

  private call(node: ts.CallExpression): ts.Node {
    const { ts, f } = this;
    const visited = this.visitInner(node) as ts.CallExpression;
    if (node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const load = f.createPropertyAccessExpression(f.createIdentifier(hostName), "import");
      return ts.setTextRange(f.createCallExpression(load, undefined, visited.arguments), node);
    }
    if (!this.isBoxed(node.expression)) return visited;
    const callee = this.detached(visited.expression, node.expression);
    if (ts.isCallChain(visited))
      return f.updateCallChain(visited, callee, visited.questionDotToken, visited.typeArguments, visited.arguments);
    return f.updateCallExpression(visited, callee, visited.typeArguments, visited.arguments);
  }

  /** Whether what is called is a session's name: its box must not become `this`. */
  private isBoxed(callee: ts.Expression): boolean {
    const { ts } = this;
    const inner = (ts as unknown as Internals).skipOuterExpressions(callee);
    return ts.isIdentifier(inner) && this.nameOf(inner, this.scope.checker.getSymbolAtLocation(inner)) !== undefined;
  }

  /** The callee without an object that would become `this`; an error in the call is placed where the name stands. */
  private detached(callee: ts.Expression, at: ts.Expression): ts.Expression {
    const { ts, f } = this;
    const comma = f.createComma(f.createNumericLiteral(0), callee);
    const whole = ts.setTextRange(f.createParenthesizedExpression(comma), at);
    for (const part of [whole, comma, callee]) ts.setEmitFlags(part, ts.EmitFlags.NoTrailingSourceMap);
    return whole;
  }

  /** Whether a list declares the cell's own variables although it stands in a block. */
  private isTopLevelVar(list: ts.Node): list is ts.VariableDeclarationList {
    const { ts } = this;
    return ts.isVariableDeclarationList(list) && (list.flags & ts.NodeFlags.BlockScoped) === 0;
  }

  /** A value by way of one of the host's functions. */
  private through(name: string, value: ts.Expression): ts.Expression {
    const { ts, f } = this;
    const callee = f.createPropertyAccessExpression(f.createIdentifier(hostName), name);
    return ts.setTextRange(f.createCallExpression(callee, undefined, [value]), value);
  }

  private forAwait(node: ts.ForOfStatement): ts.Node {
    const visited = this.isTopLevelVar(node.initializer) ? this.forEachVar(node) : this.visitInner(node);
    const { awaitModifier, initializer, expression, statement } = visited as ts.ForOfStatement;
    const steps = this.through("lives", expression);
    return this.f.updateForOfStatement(visited as ts.ForOfStatement, awaitModifier, initializer, steps, statement);
  }

  private forVar(node: ts.ForStatement): ts.Node {
    const { f } = this;
    const parts = (node.initializer as ts.VariableDeclarationList).declarations
      .map((declaration) => this.declaration(declaration, "v"))
      .filter((part) => part !== undefined);
    const initializer = parts.length === 0 ? undefined : parts.reduce((a, b) => f.createComma(a, b));
    const visit = (part: ts.Expression | undefined) => (part ? (this.visit(part) as ts.Expression) : undefined);
    return f.updateForStatement(
      node,
      initializer,
      visit(node.condition),
      visit(node.incrementor),
      this.visit(node.statement) as ts.Statement,
    );
  }

  private forEachVar(node: ts.ForInOrOfStatement): ts.Node {
    const { ts, f } = this;
    const [declaration] = (node.initializer as ts.VariableDeclarationList).declarations;
    for (const name of boundNames(ts, declaration.name)) this.declare(name, "var");
    const place = this.pattern(declaration.name, "v");
    const expression = this.visit(node.expression) as ts.Expression;
    const body = this.visit(node.statement) as ts.Statement;
    return ts.isForInStatement(node)
      ? f.updateForInStatement(node, place, expression, body)
      : f.updateForOfStatement(node, node.awaitModifier, place, expression, body);
  }
}

/** The names that a pattern declares. */
export function boundNames(ts: TypeScript, name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(ts, element.name)));
}

/** Whether a variable is declared with `using`: it lives as long as its cell, and is no name of the session. */
export function isUsing(ts: TypeScript, declaration: ts.VariableDeclaration): boolean {
  const flags = ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.BlockScoped;
  return flags === ts.NodeFlags.Using || flags === ts.NodeFlags.AwaitUsing;
}

/** Whether a statement only declares what exists elsewhere. */
function isAmbient(ts: TypeScript, statement: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword) ?? false)
  );
}

function withoutExport(
  ts: TypeScript,
  modifiers: readonly ts.ModifierLike[] | undefined,
): ts.ModifierLike[] | undefined {
  return modifiers?.filter(({ kind }) => kind !== ts.SyntaxKind.ExportKeyword && kind !== ts.SyntaxKind.DefaultKeyword);
}
