/**
 * Parts of Node's native side that have no public name. Who uses them must do without, where a Node has others.
 *
 * The function that gives them is a variable that `process.binding` closes over, and the inspector shows it. `process.binding` itself refuses most of
 * them in newer Nodes; the switch that would give them there (`--expose-internals`) gives them to cells as well, to their threads and children.
 */
import { Session } from "node:inspector";

type Binding = (name: string) => unknown;

/**
 * What gives parts of Node's native side, by name. It throws for a part that this Node does not have, and for every one where the way to them is
 * another.
 */
export function nativeSide(): Binding {
  const session = new Session();
  session.connect();
  try {
    return behindBinding(session);
  } catch (error) {
    return () => {
      throw error;
    };
  } finally {
    session.disconnect();
  }
}

function behindBinding(session: Session): Binding {
  const { result } = answer<{ result: Remote }>(session, "Runtime.evaluate", { expression: "process.binding" });
  const surroundings = look(session, result).internalProperties?.find(({ name }) => name === "[[Scopes]]")?.value;
  for (const { value: scope } of surroundings ? look(session, surroundings).result : []) {
    if (scope?.description?.startsWith("Closure") !== true) continue;
    const found = look(session, scope).result.find(({ name }) => name === "internalBinding")?.value;
    if (found?.objectId !== undefined) return here(session, found.objectId) as Binding;
  }
  throw new Error("This Node keeps its native side to itself.");
}

/** A value on the inspector's side. */
interface Remote {
  objectId?: string;
  description?: string;
}
interface Properties {
  result: { name: string; value?: Remote }[];
  internalProperties?: { name: string; value?: Remote }[];
}

const look = (session: Session, { objectId }: Remote) =>
  answer<Properties>(session, "Runtime.getProperties", { objectId, ownProperties: true });

/** Brings an object from the inspector's side to this one, through a global that is there only meanwhile. */
function here(session: Session, objectId: string): unknown {
  const key = "iommu-lab: passed from the inspector";
  const globals = globalThis as unknown as Record<string, unknown>;
  try {
    const functionDeclaration = `function () { globalThis[${JSON.stringify(key)}] = this }`;
    answer(session, "Runtime.callFunctionOn", { objectId, functionDeclaration });
    return globals[key];
  } finally {
    delete globals[key];
  }
}

/** A session of the same thread answers before `post` returns. */
function answer<T>(session: Session, method: string, parameters: object): T {
  let error: Error | null = new Error(`${method}: no answer`);
  let result: object | undefined;
  session.post(method, parameters, (failed, answered) => {
    error = failed;
    result = answered;
  });
  if (error) throw error;
  return result as T;
}
