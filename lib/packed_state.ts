/**
 * State of packed models: the variable table, streams, and snapshots in the format of variables/snapshot.ts, so that a
 * snapshot moves between packed and unpacked models.
 */
import { ModelTensor } from './model';
import { filled, PackedModel, PackedProgram, put, take } from './packed';
import { State } from './program';
import { VariableEntry } from '../variables/table';

/** As VariableTable in variables/table.ts. */
export class PackedVariables {
  length: number;
  private model: PackedModel;

  constructor(model: PackedModel) {
    this.model = model;
    this.length = model.program.variables().length;
  }

  names(): string[] {
    const names: string[] = [];
    const variables = this.model.program.variables();
    for (let i = 0; i < variables.length; i++) names.push(variables[i].name);
    return names;
  }

  get(name: string): VariableEntry {
    const program = this.model.program;
    const variables = program.variables();
    for (let i = 0; i < variables.length; i++) {
      const variable = variables[i];
      const tensor = variable.tensor;
      if (variable.name !== name && variable.container + '/' + variable.name !== name) continue;
      const entry = {
        name: variable.name,
        container: variable.container,
        type: tensor.type,
        shape: tensor.shape,
        scale: tensor.scale,
        zeroPoint: tensor.zeroPoint,
        data: program.state.views[i],
        initial: variable.initial,
      } as VariableEntry;
      entry.read = function (): Float32Array {
        return take(entry as ModelTensor, new Float32Array(tensor.length));
      };
      entry.write = function (values): void {
        put(values, entry as ModelTensor, 'variable');
      };
      return entry;
    }
    throw new Error('no variable "' + name + '": there are ' + (this.names().join(', ') || 'none'));
  }

  reset(name?: string): void {
    if (name === undefined) return this.model.reset();
    const entry = this.get(name);
    if (entry.initial) entry.data.set(entry.initial);
    else filled(entry.data, entry.scale ? entry.zeroPoint : 0);
  }
}

/** Gives packed models `newState` and `state`, so that several streams go through one model. */
export function enableStreams(): void {
  PackedModel.prototype.newState = function (): State {
    const program = this.program;
    const buffer = new ArrayBuffer(program.stateBytes);
    const state = { buffer: buffer, views: program.viewsOf!(buffer), steps: 0 };
    const current = program.state;
    program.state = state;
    this.reset();
    program.state = current;
    return state;
  };
  Object.defineProperty(PackedModel.prototype, 'state', {
    get: function (this: PackedModel): State {
      return this.program.state;
    },
    set: function (this: PackedModel, state: State): void {
      const program = this.program;
      if (!state || !state.views || state.views.length !== program.state.views.length)
        throw new Error('not a state of this model: make one with newState()');
      program.use!(state.views);
      program.state = state;
      const ports = this.inputs.concat(this.outputs);
      for (let i = 0; i < ports.length; i++) {
        const place = program.places![i];
        if (place >= 0) ports[i].data = state.views[place];
      }
    },
  });
}

const HEADER = 28;

/** The words before the state: "NGRM", version and size of the header, fingerprint, steps, bytes. */
function headerOf(program: PackedProgram): Int32Array {
  const fingerprint = program.fingerprint!;
  const words = new Int32Array(7);
  words.set([
    0x4d52474e,
    1 | (HEADER << 16),
    fingerprint.variables,
    fingerprint.program,
    program.state.steps,
    program.stateBytes,
  ]);
  return words;
}

/** Gives packed models `save` and `restore`; `crc` gives the CRC-32 of two pieces of bytes, one after the other. */
export function enablePackedSnapshots(crc: (head: Uint8Array, rest: Uint8Array) => number): void {
  function checksum(bytes: Uint8Array): number {
    return crc(bytes.subarray(0, HEADER - 4), bytes.subarray(HEADER));
  }
  PackedModel.prototype.save = function (into?: Uint8Array): Uint8Array {
    const size = HEADER + this.program.stateBytes;
    const bytes = into || new Uint8Array(size);
    if (bytes.length !== size) throw new Error('a snapshot takes ' + size + ' bytes');
    const words = headerOf(this.program);
    const header = new Uint8Array(words.buffer);
    bytes.set(header);
    bytes.set(new Uint8Array(this.program.state.buffer), HEADER);
    words[6] = checksum(bytes);
    bytes.set(header);
    return bytes;
  };
  PackedModel.prototype.restore = function (bytes: Uint8Array): void {
    const words = headerOf(this.program);
    const header = new Uint8Array(words.buffer);
    const given = new Int32Array(7);
    if (!bytes || !(bytes.length >= HEADER)) throw new Error('not a snapshot: too short');
    new Uint8Array(given.buffer).set(bytes.subarray(0, HEADER));
    if (given[0] !== words[0] || given[1] !== words[1])
      throw new Error('not a snapshot of version 1: it does not start with NGRM');
    if (bytes.length !== HEADER + given[5] || checksum(bytes) !== given[6])
      throw new Error('the snapshot is damaged: its length or checksum does not fit');
    if (given[2] !== words[2] || given[3] !== words[3] || bytes.length !== header.length + words[5])
      throw new Error('the snapshot belongs to another model');
    new Uint8Array(this.program.state.buffer).set(bytes.subarray(HEADER));
    this.program.state.steps = given[4];
  };
}

declare module './packed' {
  interface PackedModel {
    /** Added by `enableStreams`. */
    newState(): State;
    /** Added by `enablePackedSnapshots`. */
    save(into?: Uint8Array): Uint8Array;
    restore(snapshot: Uint8Array): void;
    variables: PackedVariables;
  }
}
