/** Cursor positions: the protocol counts Unicode code points, JavaScript counts UTF-16 units. */

/** The UTF-16 offset of a position in code points; the end of the text for anything that is not a position in it. */
export function unitOffset(code: string, position: unknown): number {
  if (typeof position !== "number" || !Number.isInteger(position) || position < 0) return code.length;
  let offset = 0;
  for (let i = 0; i < position && offset < code.length; i++) offset += (code.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return offset;
}

/** The position in code points of a UTF-16 offset. */
export function codePointOffset(code: string, offset: number): number {
  let position = 0;
  for (let i = 0; i < offset && i < code.length; position++) i += (code.codePointAt(i) ?? 0) > 0xffff ? 2 : 1;
  return position;
}
