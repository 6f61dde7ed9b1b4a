/** State of packed models: the variable table, and streams. */
import { TypedArray } from './graph';
import { ModelTensor } from './model';
import { CLEAR, LIST, PackedModel, PackedVariable, put, take, USE, VIEWS } from './packed';
import { State } from './program';
import { VariableEntry, VariableTable } from '../variables/table';

/** Whether some variable is in a container; see lib/packed.ts. */
declare const HAS_CONTAINERS: boolean;
declare const IS_SINGLE: boolean;

/** Getter of `variables`: a table as in variables/table.ts, made when it is asked for. */
export function variablesOf(this: PackedModel): VariableTable {
  const model = this;
  const list = model.about!(LIST) as PackedVariable[];
  const names = list.map(function (variable) {
    return variable.name;
  });
  /** The index of a variable; names in containers are also CONTAINER/NAME. */
  function indexOf(name: string): number {
    let i = names.indexOf(name);
    if (HAS_CONTAINERS)
      for (let j = 0; i < 0 && j < list.length; j++)
        if (list[j].container + '/' + list[j].name === name) i = j;
    if (i < 0) throw new Error('no variable "' + name + '": there are ' + (names.join(', ') || 'none'));
    return i;
  }
  return {
    length: list.length,
    names: function (): string[] {
      return names;
    },
    get: function (name: string): VariableEntry {
      const i = indexOf(name);
      // the list is made anew for each table
      const entry = list[i] as unknown as VariableEntry;
      entry.data = model.state.views[i];
      entry.read = function (): Float32Array {
        return take(entry as ModelTensor, new Float32Array(entry.data.length));
      };
      entry.write = function (values): void {
        put(values, entry as ModelTensor, 'variable');
        if (!IS_SINGLE) put(values, entry as ModelTensor, '');
      };
      return entry;
    },
    reset: function (name?: string): void {
      if (name === undefined) return model.reset();
      const i = indexOf(name);
      model.state.views[i].set(model.newState().views[i]);
    },
  } as unknown as VariableTable;
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
