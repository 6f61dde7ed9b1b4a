/** The variable table: a model's state, by name. */
import { misfit, readReals, Reals, writeReals } from '../lib/convert';
import { TypedArray } from '../lib/graph';
import { Program, resetState, resetVariable } from '../lib/program';

/** A variable as the table shows it. */
export interface VariableEntry {
  name: string;
  container: string;
  type: string;
  shape: number[];
  scale: number;
  zeroPoint: number;
  /** A live view on the current state's stored values. */
  data: TypedArray;
  /** Declared initial value, stored form; null when every element starts at the zero point. */
  initial: TypedArray | null;
  /** The value in real numbers. */
  read(): Float32Array;
  /** Sets the value from real numbers, quantized. Throws, and changes nothing, if their number is wrong. */
  write(values: Reals): void;
}

/** The table of a model's variables: resource variables and the state that operators keep. */
export class VariableTable {
  length: number;
  private program: Program;
  private guard: () => void;

  constructor(program: Program, guard: () => void) {
    this.program = program;
    this.guard = guard;
    this.length = program.variables.length;
  }

  /** Names in order. */
  names(): string[] {
    const names: string[] = [];
    for (let i = 0; i < this.length; i++) names.push(this.program.variables[i].name);
    return names;
  }

  /**
   * One variable, live.
   * @throws Error when there is none of that name
   */
  get(name: string): VariableEntry {
    const program = this.program;
    const guard = this.guard;
    const index = this.find(name);
    const variable = program.variables[index];
    const tensor = variable.tensor;
    const data = program.state.views[index];
    return {
      name: variable.name,
      container: variable.container,
      type: tensor.type,
      shape: tensor.shape,
      scale: tensor.scale,
      zeroPoint: tensor.zeroPoint,
      data: data,
      initial: variable.initial,
      read: function (): Float32Array {
        return readReals(tensor, data, new Float32Array(tensor.length));
      },
      write: function (values: Reals): void {
        guard();
        const wrong = misfit(values, tensor);
        if (wrong) throw new Error('variable "' + name + '": got ' + wrong);
        writeReals(values, tensor, data);
      },
    };
  }

  /** Returns one variable, or all, to the declared initial value. */
  reset(name?: string): void {
    this.guard();
    if (name === undefined) resetState(this.program, this.program.state);
    else resetVariable(this.program, this.program.state, this.find(name));
  }

  /** A line for each variable: name, type, shape, and the first values. */
  toString(): string {
    let text = '';
    for (let i = 0; i < this.length; i++) {
      const tensor = this.program.variables[i].tensor;
      const values = readReals(tensor, this.program.state.views[i], new Float32Array(tensor.length));
      text +=
        (i ? '\n' : '') +
        this.program.variables[i].name +
        ' ' +
        tensor.type +
        ' [' +
        tensor.shape.join() +
        ']';
      for (let k = 0; k < values.length && k < 4; k++) text += (k ? ', ' : ': ') + +values[k].toFixed(4);
      if (values.length > 4) text += ', ...';
    }
    return text || 'no variables';
  }

  private find(name: string): number {
    const variables = this.program.variables;
    for (let i = 0; i < variables.length; i++) {
      if (variables[i].name === name || variables[i].container + '/' + variables[i].name === name) return i;
    }
    throw new Error('no variable "' + name + '": there are ' + (this.names().join(', ') || 'none'));
  }
}
