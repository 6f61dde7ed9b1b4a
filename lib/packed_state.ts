/** State of packed models: the variable table, and streams. */
import { TypedArray } from './graph';
import { ModelTensor } from './model';
import { CLEAR, LIST, PackedModel, PackedVariable, put, take, USE, VIEWS } from './packed';
import { State } from './program';
import { VariableEntry, VariableTable } from '../variables/table';

/** Whether some variable is in a container; see lib/packed.ts. */
declare const HAS_CONTAINERS: boolean;

/** Getter of `variables`: a table as in variables/table.ts, made when it is asked for. */
export function variablesOf(this: PackedModel): VariableTable {
  const model = this;
  const list = model.about!(LIST) as PackedVariable[];
  const table = {
    length: list.length,
    names: function (): string[] {
      const names: string[] = [];
      for (let i = 0; i < list.length; i++) names.push(list[i].name);
      return names;
    },
    get: function (name: string): VariableEntry {
      for (let i = 0; i < list.length; i++) {
        const variable = list[i];
        const tensor = variable.tensor;
        if (variable.name !== name && (!HAS_CONTAINERS || variable.container + '/' + variable.name !== name))
          continue;
        // the list is made anew each time
        const entry = tensor as unknown as VariableEntry;
        entry.name = variable.name;
        entry.container = variable.container;
        entry.data = model.state.views[i];
        entry.initial = variable.initial;
        entry.read = function (): Float32Array {
          return take(entry as ModelTensor, new Float32Array(tensor.length));
        };
        entry.write = function (values): void {
          put(values, entry as ModelTensor, 'variable');
          put(values, entry as ModelTensor, '');
        };
        return entry;
      }
      throw new Error('no variable "' + name + '": there are ' + (table.names().join(', ') || 'none'));
    },
    reset: function (name?: string): void {
      if (name === undefined) return model.reset();
      const view = table.get(name).data;
      view.set(model.newState().views[model.state.views.indexOf(view)]);
    },
  };
  return table as unknown as VariableTable;
}

/** Method `newState`: a further state, at its initial values. */
export function newState(this: PackedModel): State {
  const buffer = new ArrayBuffer(this.state.buffer.byteLength);
  const views = this.about!(VIEWS, buffer) as TypedArray[];
  this.about!(CLEAR, views);
  return { buffer: buffer, views: views, steps: 0 };
}

/** For models that have inputs or outputs in their state: another state is used at once. */
export function watchState(model: PackedModel): void {
  let state = model.state;
  Object.defineProperty(model, 'state', {
    get: function (): State {
      return state;
    },
    set: function (given: State): void {
      if (!given || !given.views || given.views.length !== state.views.length)
        throw new Error('not a state of this model: use newState()');
      model.about!(USE, given.views);
      model.current = state = given;
    },
  });
}

declare module './packed' {
  interface PackedModel {
    variables: VariableTable;
    newState(): State;
  }
}
