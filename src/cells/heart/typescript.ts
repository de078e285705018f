/**
 * The compiler as the heart sees it: handed in by the host, and, in types, with the few members that its declarations keep to themselves.
 */
import type ts from "typescript";

/** The exports of the TypeScript package, 5.9 or later. */
export type TypeScript = typeof ts;

/** What a source file has beyond its public type. */
export interface BoundFile extends ts.SourceFile {
  /** The names that are declared in it. */
  locals?: Map<string, ts.Symbol>;
  /** The identifiers that occur in it. */
  identifiers?: ReadonlyMap<string, string>;
  parseDiagnostics: readonly ts.DiagnosticWithLocation[];
  /** The module specifiers in it, dynamic imports included. */
  imports?: readonly ts.StringLiteralLike[];
  /** `// @ts-nocheck`, or its opposite. */
  checkJsDirective?: { enabled: boolean };
}

/** What the compiler's exports have beyond their public type. */
export interface Internals {
  isExpressionNode(node: ts.Node): boolean;
  getModuleInstanceState(node: ts.ModuleDeclaration): number;
  skipOuterExpressions(node: ts.Expression): ts.Expression;
  skipTrivia(text: string, position: number): number;
}

/** The part of the emitter's knowledge that decides which declarations it writes. */
export interface EmitResolver {
  isDeclarationVisible(node: ts.Node): boolean;
}

/** What the checker has beyond its public type. */
export interface CheckerInternals {
  getEmitResolver(file: ts.SourceFile, token: undefined, skipDiagnostics: boolean): EmitResolver;
  getDiagnostics(file: ts.SourceFile): readonly ts.Diagnostic[];
}

/** What a program has beyond its public type. */
export interface ProgramInternals {
  getResolvedModuleFromModuleSpecifier(
    specifier: ts.StringLiteralLike,
    file: ts.SourceFile,
  ): { resolvedModule?: ts.ResolvedModuleFull } | undefined;
  emit(
    file: ts.SourceFile,
    write: ts.WriteFileCallback,
    token: undefined,
    only: 0 | undefined,
    transformers: ts.CustomTransformers,
    declarationsInAnyCase: boolean,
  ): ts.EmitResult;
}
