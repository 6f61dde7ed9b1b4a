/**
 * Lifetimes to offsets: which tensors can share memory, and where in the arena each piece of memory lies.
 *
 * First every tensor has a storage of its own, holding one value for the tensor's lifetime. Then storages are merged
 * where that is safe: the two sides of a move (the copy falls away), or the output of an elementwise operator with an
 * input that nobody reads afterwards. Two values may overlap in bytes only if their lifetimes do not touch, or touch
 * in one operator that declared itself able to work in place. Last, storages are laid into the arena, largest first,
 * each at the lowest offset that is free during its lifetime (TFLM's greedy planner; Pisarchyk & Lee 2020).
 */
import { Lifetime, Node, Storage, Tensor, Value, Variable } from './graph';
import { alignmentOf } from './tensor';

/** A copy that falls away when both sides get the same memory. */
export interface Move {
  from: Tensor;
  fromOffset: number;
  to: Tensor;
  toOffset: number;
  bytes: number;
  /** Moves between a subgraph and its caller are always carried out. */
  fixed: boolean;
  /** When it is carried out, and whether its operator does nothing else: it may then move bytes within one memory. */
  time: number;
  alone: boolean;
  /** Set by the planner. */
  elided: boolean;
}

/** An operator that can write its output over its input. */
export interface InPlace {
  input: Tensor;
  output: Tensor;
  node: Node;
  time: number;
}

/** When a variable is read or written, in order of time. */
export interface Access {
  variable: Variable;
  time: number;
  write: boolean;
  /** The move that carries it out; null for accesses by a further call of the same subgraph. */
  move: Move | null;
}

export interface PlanRequest {
  /** Tensors with a lifetime: those of the arena, scratch buffers included. */
  tensors: Tensor[];
  inputs: Tensor[];
  outputs: Tensor[];
  moves: Move[];
  inPlace: InPlace[];
  variables: Variable[];
  accesses: Access[];
  /** Alignment of storages in the arena, bytes. */
  align: number;
  /** false: carry out every copy (to compare with). */
  share: boolean;
}

export interface Plan {
  arenaBytes: number;
  stateBytes: number;
}

/**
 * Gives every tensor its place, and marks the moves that fall away.
 * Sharing can lengthen lifetimes so that it costs more than it saves; the smallest of four degrees of it is taken.
 */
export function plan(request: PlanRequest): Plan {
  const stateBytes = layOutState(request.variables);
  let best = 0;
  let bestBytes = Infinity;
  // without sharing as well, so that sharing never takes more memory
  for (let degree = request.share ? 3 : 0; degree >= 0; degree--) {
    const bytes = attempt(request, degree);
    if (bytes < bestBytes) {
      bestBytes = bytes;
      best = degree;
    }
  }
  return { arenaBytes: best ? attempt(request, best) : bestBytes, stateBytes: stateBytes };
}

/** Degree 0: nothing is shared; 1: variables and whole tensors; 2: and in-place operators; 3: and parts of tensors. */
function attempt(request: PlanRequest, degree: number): number {
  separate(request);
  if (degree > 0) {
    const moves = request.moves;
    for (let pass = 0; pass < 5; pass++) {
      if (pass === 3) {
        if (degree > 1)
          for (let i = 0; i < request.inPlace.length; i++) shareInPlace(request.inPlace[i], request);
        continue;
      }
      if (pass === 4 && degree < 3) continue;
      for (let i = 0; i < moves.length; i++)
        if (!moves[i].elided && passOf(moves[i]) === pass) elide(moves[i], request);
    }
  }
  return layOutArena(request);
}

/** Moves of variables first, then what can be put together in one, then whole tensors, then parts. */
function passOf(move: Move): number {
  if (move.from.isVariable || move.to.isVariable) return 0;
  if (isState(move.to)) return 1;
  return move.from.bytes === move.to.bytes ? 2 : 4;
}

function isState(tensor: Tensor): boolean {
  return tensor.place !== null && tensor.place.storage.block === 'state';
}

/** Every tensor on its own. */
function separate(request: PlanRequest): void {
  for (let i = 0; i < request.tensors.length; i++) {
    const tensor = request.tensors[i];
    const lifetime = tensor.lifetime as Lifetime;
    settle(tensor, newStorage('arena', tensor.bytes), lifetime.from, lifetime.to);
  }
  for (let i = 0; i < request.inputs.length; i++) mark(request.inputs[i], 'input');
  for (let i = 0; i < request.outputs.length; i++) mark(request.outputs[i], 'output');
  for (let i = 0; i < request.moves.length; i++) {
    const move = request.moves[i];
    move.elided = false;
    if (move.from.constant) settle(move.from, newStorage('constant', move.from.bytes), -1, Infinity);
  }
  separateVariables(request);
}

function mark(tensor: Tensor, side: 'input' | 'output'): void {
  if (tensor.place) tensor.place.storage[side] = true;
}

/**
 * A variable holds one value after another: the old one until its last reader, each new one from its assignment on.
 * A move that reads or writes the variable refers to the value of its time.
 */
function separateVariables(request: PlanRequest): void {
  for (let i = 0; i < request.variables.length; i++) {
    const tensor = request.variables[i].tensor;
    const storage = newStorage('state', tensor.bytes);
    storage.offset = (tensor.place as { storage: Storage }).storage.offset;
    settle(tensor, storage, -1, -1);
  }
  for (let i = 0; i < request.accesses.length; i++) {
    const access = request.accesses[i];
    const place = access.variable.tensor.place as { storage: Storage };
    const values = place.storage.values;
    if (access.write)
      values.push({ low: 0, high: access.variable.tensor.bytes, from: access.time, to: access.time });
    else values[values.length - 1].to = Math.max(values[values.length - 1].to, access.time);
  }
  for (let i = 0; i < request.variables.length; i++) {
    const values = (request.variables[i].tensor.place as { storage: Storage }).storage.values;
    values[values.length - 1].to = Infinity;
  }
}

function newStorage(block: 'arena' | 'state' | 'constant', size: number): Storage {
  return { block: block, offset: 0, size: size, values: [], tensors: [], input: false, output: false };
}

function settle(tensor: Tensor, storage: Storage, from: number, to: number): void {
  const value = { low: 0, high: tensor.bytes, from: from, to: to };
  storage.values.push(value);
  storage.tensors.push(tensor);
  tensor.place = { storage: storage, offset: 0, value: value };
}

/** The variable's value that a move reads or writes. */
function valueOf(tensor: Tensor, move: Move, request: PlanRequest): Value {
  const place = tensor.place as { storage: Storage; value: Value };
  if (place.storage.block !== 'state' || place.storage.tensors[0] !== tensor) return place.value;
  let index = 0;
  for (let i = 0; i < request.accesses.length; i++) {
    const access = request.accesses[i];
    if (access.variable.tensor !== tensor) continue;
    if (access.write) index++;
    if (access.move === move) break;
  }
  return place.storage.values[index];
}

/** Lets both sides of a move be the same memory, if that is safe. */
function elide(move: Move, request: PlanRequest): void {
  const from = move.from.place;
  const to = move.to.place;
  if (move.fixed || !from || !to) return;
  const a = from.storage;
  const b = to.storage;
  if (a === b) return;
  if (b.block === 'constant' || (a.block !== 'arena' && b.block !== 'arena')) return;
  const fixed = a.block !== 'arena' ? a : b.block !== 'arena' ? b : null;
  const moving = fixed === a ? b : a;
  // what the user writes or reads never lies in a variable or in the model; an input is never an output
  if (fixed && (moving.input || moving.output)) return;
  if ((a.input && b.output) || (b.input && a.output)) return;
  const target = moving === a ? b : a;
  const shift =
    moving === a
      ? to.offset + move.toOffset - (from.offset + move.fromOffset)
      : from.offset + move.fromOffset - (to.offset + move.toOffset);
  const va = valueOf(move.from, move, request);
  const vb = valueOf(move.to, move, request);
  const x = moving === a ? va : vb;
  const y = moving === a ? vb : va;
  // two values become one only where all bytes that they have in common are those that the move copies
  if (Math.min(x.high + shift, y.high) - Math.max(x.low + shift, y.low) !== move.bytes) return;
  if (merge(moving, target, shift, x, y, request)) move.elided = true;
}

/** Lets an elementwise operator write over its input, if nobody reads that later. */
function shareInPlace(pair: InPlace, request: PlanRequest): void {
  const input = pair.input.place;
  const output = pair.output.place;
  if (!input || !output || input.storage === output.storage) return;
  if (input.storage.block !== 'arena' || output.storage.block !== 'arena') return;
  if (input.storage.input && output.storage.output) return;
  merge(output.storage, input.storage, input.offset - output.offset, null, null, request);
}

/**
 * Moves everything of `moving` into `target`, `shift` bytes further; the values `a` and `b` become one.
 * Returns false, and changes nothing, when two values would be in each other's way.
 */
function merge(
  moving: Storage,
  target: Storage,
  shift: number,
  a: Value | null,
  b: Value | null,
  request: PlanRequest,
): boolean {
  for (let i = 0; i < moving.tensors.length; i++) {
    const tensor = moving.tensors[i];
    const place = tensor.place as { offset: number };
    if ((place.offset + shift) % alignmentOf(tensor.type)) return false;
  }
  const low = shift;
  const high = shift + moving.size;
  if (target.block !== 'arena' && (low < 0 || high > target.size)) return false;
  // between two of its values a variable is not free: which of them a branch leaves there is not known here
  if (target.block === 'state' && moving.values.length > 1) return false;
  const union =
    a && b
      ? {
          low: Math.min(a.low + shift, b.low),
          high: Math.max(a.high + shift, b.high),
          from: Math.min(a.from, b.from),
          to: Math.max(a.to, b.to),
        }
      : null;
  for (let i = 0; i < moving.values.length; i++) {
    const x = moving.values[i] === a ? union : moving.values[i];
    const dx = x === union ? 0 : shift;
    for (let k = 0; k < target.values.length; k++) {
      const y = target.values[k] === b ? union : target.values[k];
      if (x !== y && collide(x as Value, dx, y as Value, moving, target, shift, request)) return false;
    }
    if (union && x !== union && collide(x as Value, dx, union, moving, target, shift, request)) return false;
  }
  if (union) {
    for (let k = 0; k < target.values.length; k++) {
      if (target.values[k] !== b && collide(union, 0, target.values[k], moving, target, shift, request))
        return false;
    }
  }
  for (let i = 0; i < moving.tensors.length; i++) {
    const place = moving.tensors[i].place as { storage: Storage; offset: number; value: Value };
    place.storage = target;
    place.offset += shift;
    if (place.value === a) place.value = b as Value;
    target.tensors.push(moving.tensors[i]);
  }
  for (let i = 0; i < moving.values.length; i++) {
    const value = moving.values[i];
    if (value === a) continue;
    value.low += shift;
    value.high += shift;
    target.values.push(value);
  }
  if (union && b) {
    b.low = union.low;
    b.high = union.high;
    b.from = union.from;
    b.to = union.to;
  }
  target.input = target.input || moving.input;
  target.output = target.output || moving.output;
  normalize(target, Math.min(0, low), Math.max(target.size, high));
  return true;
}

/** Lets a storage start at 0 again. */
function normalize(storage: Storage, low: number, high: number): void {
  storage.size = high - low;
  if (!low) return;
  for (let i = 0; i < storage.tensors.length; i++)
    (storage.tensors[i].place as { offset: number }).offset -= low;
  for (let i = 0; i < storage.values.length; i++) {
    storage.values[i].low -= low;
    storage.values[i].high -= low;
  }
}

/** Whether two values want the same bytes at the same time, and no in-place operator turns the one into the other. */
function collide(
  x: Value,
  dx: number,
  y: Value,
  moving: Storage,
  target: Storage,
  shift: number,
  request: PlanRequest,
): boolean {
  if (x.low + dx >= y.high || y.low >= x.high + dx) return false;
  if (x.to < y.from || y.to < x.from) return false;
  if (x.to === y.from) return !inPlaceAt(x.to, moving, target, shift, request) && !movesAt(x.to, request);
  if (y.to === x.from) return !inPlaceAt(y.to, moving, target, shift, request) && !movesAt(y.to, request);
  return true;
}

/** Whether the operator at `time` only moves bytes: `set` on a typed array is right even where both sides overlap. */
function movesAt(time: number, request: PlanRequest): boolean {
  for (let i = 0; i < request.moves.length; i++) {
    if (request.moves[i].time === time && request.moves[i].alone) return true;
  }
  return false;
}

/**
 * Whether the operator at `time` may run with all of its operands in the memory of `target` after the merge: each
 * output lies exactly on inputs that it may overwrite, or on none.
 */
function inPlaceAt(
  time: number,
  moving: Storage,
  target: Storage,
  shift: number,
  request: PlanRequest,
): boolean {
  let node: Node | null = null;
  for (let i = 0; i < request.inPlace.length; i++)
    if (request.inPlace[i].time === time) node = request.inPlace[i].node;
  if (!node) return false;
  for (let i = 0; i < node.outputs.length; i++) {
    const output = node.outputs[i];
    const start = offsetAfter(output, moving, target, shift);
    if (start !== start) continue;
    for (let k = 0; k < node.inputs.length; k++) {
      const input = node.inputs[k];
      if (!input) continue;
      const other = offsetAfter(input, moving, target, shift);
      if (other !== other || other >= start + output.bytes || start >= other + input.bytes) continue;
      if (other !== start || input.bytes !== output.bytes || !declared(input, output, time, request))
        return false;
    }
  }
  return true;
}

/** Offset of a tensor in `target` after the merge, NaN when it is elsewhere. */
function offsetAfter(tensor: Tensor, moving: Storage, target: Storage, shift: number): number {
  const place = tensor.place;
  if (!place) return NaN;
  return place.storage === target ? place.offset : place.storage === moving ? place.offset + shift : NaN;
}

function declared(input: Tensor, output: Tensor, time: number, request: PlanRequest): boolean {
  for (let i = 0; i < request.inPlace.length; i++) {
    const pair = request.inPlace[i];
    if (pair.time === time && pair.input === input && pair.output === output) return true;
  }
  return false;
}

/** Variables in order of alignment, so that there are no gaps. Returns the block's size. */
function layOutState(variables: Variable[]): number {
  let offset = 0;
  for (let alignment = 4; alignment > 0; alignment >>= 1) {
    for (let i = 0; i < variables.length; i++) {
      const tensor = variables[i].tensor;
      if (alignmentOf(tensor.type) !== alignment) continue;
      const storage = newStorage('state', tensor.bytes);
      offset = up(offset, alignment);
      storage.offset = offset;
      settle(tensor, storage, -1, Infinity);
      offset += tensor.bytes;
    }
  }
  return offset;
}

function up(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

/** Places all storages of the arena; tries them by size and by lifetime. Returns the arena's size. */
function layOutArena(request: PlanRequest): number {
  const storages: Storage[] = [];
  const tensors = request.tensors;
  for (let i = 0; i < tensors.length; i++) {
    const storage = (tensors[i].place as { storage: Storage }).storage;
    if (storage.block === 'arena' && storages.indexOf(storage) < 0) storages.push(storage);
  }
  let best = Infinity;
  let bestOrder = 0;
  for (let order = 0; order < 3; order++) {
    const bytes = layOut(storages, order, request.align);
    if (bytes < best) {
      best = bytes;
      bestOrder = order;
    }
  }
  return storages.length ? layOut(storages, bestOrder, request.align) : 0;
}

function span(storage: Storage): Lifetime {
  const lifetime = { from: Infinity, to: -1 };
  for (let i = 0; i < storage.values.length; i++) {
    lifetime.from = Math.min(lifetime.from, storage.values[i].from);
    lifetime.to = Math.max(lifetime.to, storage.values[i].to);
  }
  return lifetime;
}

interface Block {
  storage: Storage;
  from: number;
  to: number;
  key: number;
}

/** Order 0: by size; 1: by length of life, then size; 2: by size weighted with length of life. */
function layOut(storages: Storage[], order: number, align: number): number {
  const blocks: Block[] = [];
  for (let i = 0; i < storages.length; i++) {
    const life = span(storages[i]);
    const length = Math.min(life.to, 1e6) - life.from + 1;
    const size = storages[i].size;
    blocks.push({
      storage: storages[i],
      from: life.from,
      to: life.to,
      key: order === 0 ? size : order === 1 ? length * 1e9 + size : size * length,
    });
  }
  blocks.sort(function (a, b) {
    return b.key - a.key || a.from - b.from;
  });
  const placed: Block[] = [];
  let end = 0;
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i];
    let offset = 0;
    // `placed` is in order of offset: the first gap that is wide enough
    for (let k = 0; k < placed.length; k++) {
      const other = placed[k];
      if (other.to < block.from || block.to < other.from) continue;
      if (other.storage.offset >= offset + block.storage.size) break;
      offset = Math.max(offset, up(other.storage.offset + other.storage.size, align));
    }
    block.storage.offset = offset;
    end = Math.max(end, offset + block.storage.size);
    let at = placed.length;
    placed.push(block);
    while (at > 0 && placed[at - 1].storage.offset > offset) {
      placed[at] = placed[at - 1];
      at--;
    }
    placed[at] = block;
  }
  return end;
}
