/**
 * The kernel's end of ipywidgets' protocol, version 2.1.0: each model is a comm, whose state both ends keep alike.
 *
 * A front end's `update` is answered by an `echo_update` with the same content (so that a second page on the same kernel follows, and the
 * first knows that it was heard), and by an `update` where the value had to be corrected. A page that is loaded again asks for every state:
 * over the control comm (`request_states`), or model by model (`request_state`).
 */
import type { Comm, Comms } from "../display/comms.js";
import type { State } from "./models.js";

/** Target and metadata of a model's comm. */
const modelTarget = "jupyter.widget";
const modelMetadata = { version: "2.1.0" };
const controlTarget = "jupyter.widget.control";

/** A model, alive in every front end that shows widgets. */
export interface Model {
  readonly id: string;
  readonly state: Readonly<State>;
  /** Changes traits, here and in every front end. Without effect once it is closed. */
  set(changes: State): void;
  /** Closes it; its views go away. */
  close(): void;
}

/** Takes up a change that a front end has made to a trait: the trait's content from now on, or undefined where it stays as it was. */
export type Accept = (trait: string, content: unknown) => unknown;

/** The models of a session. */
export interface Widgets {
  /**
   * Opens a model.
   * @param state its traits, names of model and view included
   * @param accept takes up changes of front ends to traits in `state`; without it they are undone
   */
  open(state: State, accept?: Accept): Model;
  /** Called before a front end that has just been loaded is told the states of all models. */
  onRestore(listener: () => void): void;
}

interface OwnModel extends Model {
  comm: Comm | undefined;
  state: State;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The models over a session's comms. */
export function createWidgets(comms: Comms): Widgets {
  const models = new Map<string, OwnModel>();
  const listeners: (() => void)[] = [];
  const restore = () => {
    for (const listener of listeners) listener();
  };

  function receive(model: OwnModel, accept: Accept | undefined, data: unknown): void {
    if (!isObject(data)) return;
    const { comm } = model;
    if (data["method"] === "request_state") {
      restore();
      comm?.send({ method: "update", state: model.state, buffer_paths: [] });
      return;
    }
    if (data["method"] !== "update" || !isObject(data["state"])) return;
    const changes = Object.entries(data["state"]).filter(([trait]) => Object.hasOwn(model.state, trait));
    if (changes.length === 0) return;
    comm?.send({ method: "echo_update", state: Object.fromEntries(changes), buffer_paths: [] });
    const corrected: State = {};
    for (const [trait, content] of changes) {
      const accepted = accept?.(trait, content);
      if (accepted !== undefined) model.state[trait] = accepted;
      if (JSON.stringify(model.state[trait]) !== JSON.stringify(content)) corrected[trait] = model.state[trait];
    }
    if (Object.keys(corrected).length > 0) comm?.send({ method: "update", state: corrected, buffer_paths: [] });
  }

  comms.registerTarget(controlTarget, (comm) => {
    comm.onMessage = (data) => {
      if (!isObject(data) || data["method"] !== "request_states") return;
      restore();
      const states = Object.fromEntries(
        [...models.values()].map(({ id, state }) => [
          id,
          {
            model_name: state["_model_name"],
            model_module: state["_model_module"],
            model_module_version: state["_model_module_version"],
            state,
          },
        ]),
      );
      comm.send({ method: "update_states", states, buffer_paths: [] });
    };
  });

  return {
    open(initial, accept) {
      const state = { ...initial };
      const comm = comms.open(modelTarget, { state, buffer_paths: [] }, { metadata: modelMetadata });
      const model: OwnModel = {
        id: comm.id,
        state,
        comm,
        set(changes) {
          Object.assign(state, changes);
          model.comm?.send({ method: "update", state: changes, buffer_paths: [] });
        },
        close() {
          models.delete(comm.id);
          model.comm?.close();
          model.comm = undefined;
        },
      };
      models.set(comm.id, model);
      comm.onMessage = (data) => receive(model, accept, data);
      // A front end that knows no widgets closes what it is offered; the model goes on without one.
      comm.onClose = () => {
        models.delete(comm.id);
        model.comm = undefined;
      };
      return model;
    },
    onRestore: (listener) => void listeners.push(listener),
  };
}
