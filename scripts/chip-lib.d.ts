/**
 * The JavaScript library as the chip side may use it: what Espruino, JerryScript, Duktape and MicroQuickJS all have.
 * It stands in for TypeScript's own lib.es5.d.ts when the chip side is compiled (tsconfig.chip.json), so that a member
 * which one of them lacks (Math.imul, typed.fill, Object.freeze, RangeError, writing array.length) does not compile.
 *
 * What only one engine has (Espruino's E, Storage) is declared by the engine's own folder.
 */

declare var NaN: number;
declare var Infinity: number;
declare function parseInt(text: string, radix?: number): number;
declare function parseFloat(text: string): number;
declare function isNaN(x: number): boolean;
declare function isFinite(x: number): boolean;

interface Object {
  constructor: Function;
  toString(): string;
  hasOwnProperty(key: string | number): boolean;
}
interface PropertyDescriptor {
  configurable?: boolean;
  enumerable?: boolean;
  value?: any;
  writable?: boolean;
  get?(): any;
  set?(value: any): void;
}
interface ObjectConstructor {
  keys(o: object): string[];
  /** Without a property map: Espruino ignores it. */
  create(prototype: object | null): any;
  defineProperty<T>(o: T, key: string, descriptor: PropertyDescriptor & ThisType<any>): T;
  getPrototypeOf(o: any): any;
  readonly prototype: Object;
}
declare var Object: ObjectConstructor;

interface Function {
  apply(this: Function, self: any, args?: any): any;
  call(this: Function, self: any, ...args: any[]): any;
  bind(this: Function, self: any, ...args: any[]): any;
  prototype: any;
}
interface CallableFunction extends Function {
  /** At most 256 arguments on Espruino. */
  apply<T, R>(this: (this: T) => R, self: T): R;
  apply<T, A extends any[], R>(this: (this: T, ...args: A) => R, self: T, args: A): R;
  call<T, A extends any[], R>(this: (this: T, ...args: A) => R, self: T, ...args: A): R;
  bind<T>(this: T, self: ThisParameterType<T>): OmitThisParameter<T>;
  bind<T, A extends any[], B extends any[], R>(
    this: (this: T, ...args: [...A, ...B]) => R,
    self: T,
    ...args: A
  ): (...args: B) => R;
}
interface NewableFunction extends Function {}
/** On Espruino length is at least the number of declared parameters: read it only where there are none. */
interface IArguments {
  readonly length: number;
  [index: number]: any;
}

interface Boolean {}
interface RegExp {}
interface Number {
  toString(radix?: number): string;
  toFixed(digits?: number): string;
}
interface NumberConstructor {
  (value?: any): number;
  readonly MAX_VALUE: number;
  readonly MIN_VALUE: number;
  readonly NEGATIVE_INFINITY: number;
  readonly POSITIVE_INFINITY: number;
}
declare var Number: NumberConstructor;

interface String {
  readonly length: number;
  readonly [index: number]: string;
  charAt(position: number): string;
  charCodeAt(index: number): number;
  concat(...strings: string[]): string;
  indexOf(search: string, position?: number): number;
  lastIndexOf(search: string, position?: number): number;
  replace(search: string, replacement: string): string;
  slice(start?: number, end?: number): string;
  split(separator: string): string[];
  substring(start: number, end?: number): string;
  toLowerCase(): string;
  toUpperCase(): string;
  trim(): string;
  toString(): string;
}
interface StringConstructor {
  (value?: any): string;
  fromCharCode(...codes: number[]): string;
}
declare var String: StringConstructor;

interface Math {
  readonly E: number;
  readonly LN10: number;
  readonly LN2: number;
  readonly LOG2E: number;
  readonly LOG10E: number;
  readonly PI: number;
  readonly SQRT1_2: number;
  readonly SQRT2: number;
  abs(x: number): number;
  acos(x: number): number;
  asin(x: number): number;
  atan(x: number): number;
  atan2(y: number, x: number): number;
  ceil(x: number): number;
  cos(x: number): number;
  exp(x: number): number;
  floor(x: number): number;
  log(x: number): number;
  max(...values: number[]): number;
  min(...values: number[]): number;
  pow(x: number, y: number): number;
  random(): number;
  /** Espruino rounds −2.5 to −3, others to −2. */
  round(x: number): number;
  sin(x: number): number;
  sqrt(x: number): number;
  tan(x: number): number;
}
declare var Math: Math;

interface DateConstructor {
  now(): number;
}
declare var Date: DateConstructor;

interface JSON {
  parse(text: string): any;
  stringify(value: any): string;
}
declare var JSON: JSON;

interface Error {
  name: string;
  message: string;
  stack?: string;
}
interface ErrorConstructor {
  new (message?: string): Error;
  (message?: string): Error;
  readonly prototype: Error;
}
declare var Error: ErrorConstructor;
/** On Espruino it is no instance of Error; RangeError does not exist there. */
declare var TypeError: ErrorConstructor;
declare var SyntaxError: ErrorConstructor;

interface ArrayLike<T> {
  readonly length: number;
  readonly [index: number]: T;
}
interface ReadonlyArray<T> {
  readonly length: number;
  readonly [index: number]: T;
  concat(...items: (T | ReadonlyArray<T>)[]): T[];
  every(test: (value: T, index: number) => unknown): boolean;
  filter(test: (value: T, index: number) => unknown): T[];
  forEach(callback: (value: T, index: number) => void): void;
  indexOf(value: T): number;
  join(separator?: string): string;
  map<U>(callback: (value: T, index: number) => U): U[];
  reduce<U>(callback: (previous: U, value: T, index: number) => U, initial: U): U;
  slice(start?: number, end?: number): T[];
  some(test: (value: T, index: number) => unknown): boolean;
}
/** Grows by push alone: length is read-only, and MicroQuickJS has no holes. */
interface Array<T> extends ReadonlyArray<T> {
  [index: number]: T;
  pop(): T | undefined;
  push(...items: T[]): number;
  reverse(): T[];
  shift(): T | undefined;
  sort(compare?: (a: T, b: T) => number): this;
  splice(start: number, remove: number, ...items: T[]): T[];
  unshift(...items: T[]): number;
}
interface ArrayConstructor {
  isArray(value: any): value is any[];
}
declare var Array: ArrayConstructor;

interface ArrayBuffer {
  readonly byteLength: number;
}
type ArrayBufferLike = ArrayBuffer;
interface ArrayBufferConstructor {
  new (bytes: number): ArrayBuffer;
  readonly prototype: ArrayBuffer;
}
declare var ArrayBuffer: ArrayBufferConstructor;
interface ArrayBufferView {
  readonly buffer: ArrayBuffer;
  readonly byteLength: number;
  readonly byteOffset: number;
}

/** What typed arrays have everywhere: MicroQuickJS has no fill, slice or indexOf, Espruino no BYTES_PER_ELEMENT. */
interface TypedNumbers<Self> extends ArrayBufferView {
  readonly length: number;
  [index: number]: number;
  set(values: ArrayLike<number>, offset?: number): void;
  subarray(begin?: number, end?: number): Self;
  join(separator?: string): string;
}
interface TypedNumbersConstructor<Self> {
  new (length: number): Self;
  new (values: ArrayLike<number>): Self;
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): Self;
  readonly prototype: Self;
}
interface Int8Array extends TypedNumbers<Int8Array> {}
declare var Int8Array: TypedNumbersConstructor<Int8Array>;
interface Uint8Array extends TypedNumbers<Uint8Array> {}
declare var Uint8Array: TypedNumbersConstructor<Uint8Array>;
interface Uint8ClampedArray extends TypedNumbers<Uint8ClampedArray> {}
declare var Uint8ClampedArray: TypedNumbersConstructor<Uint8ClampedArray>;
interface Int16Array extends TypedNumbers<Int16Array> {}
declare var Int16Array: TypedNumbersConstructor<Int16Array>;
interface Uint16Array extends TypedNumbers<Uint16Array> {}
declare var Uint16Array: TypedNumbersConstructor<Uint16Array>;
interface Int32Array extends TypedNumbers<Int32Array> {}
declare var Int32Array: TypedNumbersConstructor<Int32Array>;
interface Uint32Array extends TypedNumbers<Uint32Array> {}
declare var Uint32Array: TypedNumbersConstructor<Uint32Array>;
interface Float32Array extends TypedNumbers<Float32Array> {}
declare var Float32Array: TypedNumbersConstructor<Float32Array>;
interface Float64Array extends TypedNumbers<Float64Array> {}
declare var Float64Array: TypedNumbersConstructor<Float64Array>;

type ThisParameterType<T> = T extends (this: infer U, ...args: never) => any ? U : unknown;
type OmitThisParameter<T> =
  unknown extends ThisParameterType<T> ? T : T extends (...args: infer A) => infer R ? (...args: A) => R : T;
interface ThisType<T> {}
type Partial<T> = { [P in keyof T]?: T[P] };
type Required<T> = { [P in keyof T]-?: T[P] };
type Readonly<T> = { readonly [P in keyof T]: T[P] };
type Pick<T, K extends keyof T> = { [P in K]: T[P] };
type Record<K extends string | number, T> = { [P in K]: T };
type Exclude<T, U> = T extends U ? never : T;
type Extract<T, U> = T extends U ? T : never;
type Omit<T, K extends string | number> = Pick<T, Exclude<keyof T, K>>;
type NonNullable<T> = T & {};
type Parameters<T extends (...args: any) => any> = T extends (...args: infer P) => any ? P : never;
type ReturnType<T extends (...args: any) => any> = T extends (...args: any) => infer R ? R : any;
