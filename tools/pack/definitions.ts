/** Arrays of a program as names in a packed module: views on its memory, views on the weights, small literals. */
import type { TypedArray } from '../../lib/graph';
import type { Program } from '../../lib/program';
import type { Target } from './index';
import { arrayName, literalArray, numberText } from './print';
import type { Made, Room } from './replacement';
import { WeightsBuilder } from './weights';

/** Types that copies may have in place of bytes. */
const ELEMENTS = [Int8Array, Int16Array, Int32Array, Float32Array];
/** Names of the module's constants and views, and the statements that define them. */
export class Definitions {
  readonly lines: string[] = [];
  /** Values made of the others. */
  readonly made: string[] = [];
  /** Constants, whose place in the weights is known only at the end. */
  readonly constants: { name: string; array: TypedArray; index: number }[] = [];
  readonly weights = new WeightsBuilder();
  usesFilled = false;
  private readonly names = new Map<string, string>();
  private readonly rooms = new Map<string, Room>();

  constructor(
    private readonly program: Program,
    private readonly counters: Set<TypedArray>,
    private readonly target: Target,
  ) {}

  private named(key: string, make: (name: string) => string | null): string {
    let name = this.names.get(key);
    if (!name) {
      name = `v${this.names.size}`;
      this.names.set(key, name);
      const line = make(name);
      if (line) this.lines.push(`var ${name} = ${line};`);
    }
    return name;
  }

  /** Whether an array is neither computed in a step nor a counter of the program. */
  readonly isConstant = (array: TypedArray): boolean =>
    array.buffer !== this.program.arena &&
    array.buffer !== this.program.state.buffer &&
    !this.counters.has(array);

  /**
   * The arrays of a copy, as views that the program has for other reasons: bytes would take views of their own, and
   * Espruino copies element by element.
   */
  asElements(arrays: TypedArray[]): TypedArray[] {
    const { arena, state, steps } = this.program;
    const used = steps.flatMap(({ args }) => args.filter((value) => typeof value !== 'number'));
    const twins = (type: (typeof ELEMENTS)[number], list: TypedArray[]): number =>
      arrays.filter(({ buffer, byteOffset, byteLength }) =>
        list.some(
          (view) =>
            view instanceof type &&
            view.buffer === buffer &&
            view.byteOffset === byteOffset &&
            view.byteLength === byteLength,
        ),
      ).length;
    const types = ELEMENTS.filter((type) => used.some((value) => value instanceof type));
    for (const type of types.sort((a, b) => twins(b, used) - twins(a, used))) {
      const fit = arrays.every(({ buffer, byteOffset, byteLength }) => {
        if (byteOffset % type.BYTES_PER_ELEMENT || byteLength % type.BYTES_PER_ELEMENT) return false;
        const twin = (view: TypedArray): boolean =>
          view instanceof type && view.byteOffset === byteOffset && view.byteLength === byteLength;
        return buffer === arena || (buffer === state.buffer && state.views.some(twin));
      });
      if (!fit) continue;
      return arrays.map(
        ({ buffer, byteOffset, byteLength }) =>
          new type(buffer as ArrayBuffer, byteOffset, byteLength / type.BYTES_PER_ELEMENT),
      );
    }
    return arrays;
  }

  /** The name of a value that the module makes from an array. */
  nameOfMade({ of, text }: Made): string {
    const expression = text(of ? this.nameOf(of) : '');
    return this.named(expression, (name) => {
      this.made.push(`var ${name} = ${expression};`);
      return null;
    });
  }

  /** The name of room to work in, which is as long as its longest use. */
  nameOfRoom(wanted: Room): string {
    const { room, length, exact } = wanted;
    const name = this.named(`room ${room} ${exact ? length : ''}`, () => null);
    const before = this.rooms.get(name)?.length ?? 0;
    this.rooms.set(name, { ...wanted, length: Math.max(length, before) });
    return name;
  }

  /** Statements that define all room, once it is known how much is used, and the bytes of the arena with it. */
  get room(): { lines: string[]; arenaBytes: number } {
    // rooms of one type are used one at a time
    const places = new Map<string, number>();
    let end = this.program.arena.byteLength;
    for (const type of ['Int32Array', 'Float32Array', 'Uint8ClampedArray', 'Int8Array'] as const) {
      const rooms = [...this.rooms.values()].filter(({ room }) => room === type);
      if (!rooms.length) continue;
      const size = type.includes('32') ? 4 : 1;
      places.set(type, Math.ceil(end / size) * size);
      end = places.get(type)! + size * Math.max(...rooms.map(({ length }) => length));
    }
    const lines = [...this.rooms].map(
      ([name, { room, length }]) => `var ${name} = new ${room}(arena, ${places.get(room)}, ${length});`,
    );
    return { lines, arenaBytes: end };
  }

  /** The name of an array. `before`: bytes that must lie before a constant in the file. */
  nameOf(array: TypedArray, before = 0): string {
    const type = arrayName(array);
    const { program } = this;
    if (array.length === 0) return this.named(`${type} 0`, () => `new ${type}(0)`);
    if (array.buffer === program.arena) {
      return this.named(
        `arena ${type} ${array.byteOffset} ${array.length}`,
        () => `new ${type}(arena, ${array.byteOffset}, ${array.length})`,
      );
    }
    if (array.buffer === program.state.buffer) {
      const index = program.state.views.findIndex(
        (view) =>
          view.byteOffset === array.byteOffset &&
          view.length === array.length &&
          view.constructor === array.constructor,
      );
      if (index < 0) throw new Error('a step has a view on the state that the state has not');
      return `s${index}`;
    }
    if (this.counters.has(array)) {
      return this.named(`counter ${[...this.counters].indexOf(array)}`, () => `new ${type}(${array.length})`);
    }
    const values = Array.from(array);
    const same = values.every((value) => Object.is(value, values[0]));
    if (!before && same && array.length > 2 && array.byteLength <= 4096) {
      return this.named(`filled ${type} ${array.length} ${values[0]}`, () => {
        this.usesFilled = true;
        return this.target === 'espruino'
          ? `new ${type}(${array.length}).fill(${numberText(values[0])})`
          : `filled(new ${type}(${array.length}), ${numberText(values[0])})`;
      });
    }
    // on Espruino an array of its own takes two variables more than a view
    if (!before && array.length <= 2 && this.target !== 'espruino') {
      const text = literalArray(array);
      return this.named(text, () => text);
    }
    const index = this.weights.add(array, before);
    return this.named(`constant ${index}`, (name) => {
      this.constants.push({ name, array, index });
      return null;
    });
  }
}
