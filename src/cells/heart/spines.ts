/**
 * Long chains of operators. `1 + 2 + … + n` is a tree n deep, and the compiler looks from each term up to the root: n² steps, minutes for
 * 20,000 terms. Where the operators say nothing about the type of a term, its way up is made short: it gets the chain's top as parent.
 */
import type ts from "typescript";
import type { TypeScript } from "./typescript.js";

/** Chains that are shortened, in terms; and the text that can hold one. */
const longChain = 500;
const longText = 2 * longChain;

/** Shortens the ways up in a file that has been bound. */
export function shortenSpines(ts: TypeScript, file: ts.SourceFile): void {
  if (file.text.length < longText) return;
  const visit = (node: ts.Node): void => {
    if (!ts.isBinaryExpression(node)) {
      ts.forEachChild(node, visit);
      return;
    }
    // In a loop: the chain is deeper than the stack.
    const chain: ts.BinaryExpression[] = [];
    let inner: ts.Expression = node;
    for (; ts.isBinaryExpression(inner); inner = inner.left) chain.push(inner);
    for (const { operatorToken, right } of chain) {
      if (chain.length > longChain && isArithmetic(ts, operatorToken.kind))
        (right as { parent: ts.Node }).parent = node;
      visit(right);
    }
    visit(inner);
  };
  visit(file);
}

function isArithmetic(ts: TypeScript, kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.PlusToken && kind <= ts.SyntaxKind.CaretToken;
}
