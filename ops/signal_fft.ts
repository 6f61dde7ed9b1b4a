/**
 * SignalRfft, SignalIrfft: Fourier transforms of real signals, as TFLM computes them with KISS FFT 1.3.0.
 *
 * SignalRfft: [.., n] → [.., ≥ fft_length + 2], n ≤ fft_length (what is missing is 0): fft_length / 2 + 1 complex
 * numbers, each a real and an imaginary part. INT16 and INT32 spectra are divided by fft_length, FLOAT32 ones are not.
 * SignalIrfft: [.., ≥ fft_length + 2] → [.., fft_length], divided by fft_length in all types.
 * Types: INT16, INT32, FLOAT32. fft_length is even, and its half has no factors but 2, 3 and 5, as TFLM has no memory
 * for others.
 *
 * A real signal is transformed as fft_length / 2 complex points of even and odd samples. All of it happens in the
 * output: points are put where the recursion of KISS FFT would take them, then each stage multiplies them by twiddle
 * factors and combines them by 2, 3, 4 or 5. The integer types round where KISS FFT rounds, and wrap where it wraps.
 */
import { Argument, Kernel, Node, Operators, Preparation, Tensor, TypedArray, View } from '../lib/graph';
import { TENSOR_TYPES } from '../lib/schema';
import { describe, elementBytes } from '../lib/tensor';
import { expectType, input, output } from './checks';
import { expectOperands } from './custom';
import { customOptions, FlexMap, integerOption } from './flexbuffer';

/** What differs between types of elements. */
export interface FftType {
  type: string;
  /** A table of complex factors: the cosines and sines of `phases`. */
  factors(phases: number[]): TypedArray;
  /** Factor that divides by `radix`; 0 where nothing is scaled. */
  scale(radix: number): number;
  /** (y, twiddles, radix, m, blocks, stride, scale) */
  twiddle: Kernel;
  /** (y, m, blocks, …) with what `addFactors` adds */
  radix3: Kernel;
  radix5: Kernel;
  /** Adds the roots of unity of radix 3 or 5 to the kernel's arguments; the first is at `index`, the second at twice that. */
  addFactors(args: Argument[], twiddles: TypedArray, index: number, radix: number): void;
  /** (y, factors, points): complex points to the spectrum of the real signal */
  toSpectrum: Kernel;
  /** (x, y, factors, places, points): the opposite; point k goes to places[k] */
  fromSpectrum: Kernel;
}

/** Kernel: the first n samples, two to a point, point k to places[k]; missing ones are 0. */
export function placePoints<T extends TypedArray>(
  x: T,
  n: number,
  places: Uint16Array,
  y: T,
  points: number,
): void {
  for (let k = 0, i = 0; k < points; k++, i += 2) {
    const at = 2 * places[k];
    y[at] = i < n ? x[i] : 0;
    y[at + 1] = i + 1 < n ? x[i + 1] : 0;
  }
}

/** Kernel: combines two times m points in each block. */
export function radix2<T extends TypedArray>(y: T, m: number, blocks: number): void {
  const m2 = 2 * m;
  for (let block = 0, i = 0; block < blocks; block++, i += m2) {
    for (const end = i + m2; i < end; i++) {
      const b = y[i + m2];
      y[i + m2] = y[i] - b;
      y[i] += b;
    }
  }
}

/** Kernel: combines four times m points in each block; sign is 1, or −1 for the inverse. */
export function radix4<T extends TypedArray>(y: T, m: number, blocks: number, sign: number): void {
  const m2 = 2 * m;
  for (let block = 0, i = 0; block < blocks; block++, i += 3 * m2) {
    for (const end = i + m2; i < end; i += 2) {
      const b = i + m2;
      const c = b + m2;
      const d = c + m2;
      const sumR = y[i] + y[c];
      const sumI = y[i + 1] + y[c + 1];
      const differenceR = y[i] - y[c];
      const differenceI = y[i + 1] - y[c + 1];
      const otherR = y[b] + y[d];
      const otherI = y[b + 1] + y[d + 1];
      const turnedR = sign * (y[b + 1] - y[d + 1]);
      const turnedI = sign * (y[d] - y[b]);
      y[i] = sumR + otherR;
      y[i + 1] = sumI + otherI;
      y[b] = differenceR + turnedR;
      y[b + 1] = differenceI + turnedI;
      y[c] = sumR - otherR;
      y[c + 1] = sumI - otherI;
      y[d] = differenceR - turnedR;
      y[d + 1] = differenceI - turnedI;
    }
  }
}

/** A transform, checked, with its tables. */
interface Transform {
  kind: FftType;
  points: number;
  x: Tensor;
  y: Tensor;
  rows: number;
  /** Radix of each stage, outermost first. */
  radices: number[];
  places: Uint16Array;
  twiddles: TypedArray;
  /** Factors that join the spectra of even and odd samples. */
  joining: TypedArray;
}

/** 4 as often as it goes, then 2, 3, 5. */
function radicesOf(points: number, p: Preparation): number[] {
  const radices: number[] = [];
  const tried = [4, 2, 3, 5];
  let rest = points;
  for (let i = 0; i < 4; i++) {
    while (rest % tried[i] === 0) {
      radices.push(tried[i]);
      rest /= tried[i];
    }
  }
  if (rest !== 1)
    p.fail('half of its option fft_length may have the factors 2, 3 and 5, but ' + points + ' has ' + rest);
  return radices;
}

/** Where the recursion takes point k: digits of k in the mixed radix, reversed. */
function placesOf(points: number, radices: number[]): Uint16Array {
  const places = new Uint16Array(points);
  for (let k = 0; k < points; k++) {
    let rest = k;
    let size = points;
    let place = 0;
    for (let i = 0; i < radices.length; i++) {
      const digit = rest % radices[i];
      size /= radices[i];
      place += digit * size;
      rest = (rest - digit) / radices[i];
    }
    places[k] = place;
  }
  return places;
}

/** Fails unless the option T, a tensor type by number, is the type of x. */
export function expectOptionT(options: FlexMap, x: Tensor, p: Preparation): void {
  const type = TENSOR_TYPES[integerOption(options, 'T', 0, TENSOR_TYPES.length - 1, p)];
  if (type !== x.type) p.fail('its option T says ' + type + ', but the input is ' + describe(x));
}

function transformOf(node: Node, types: FftType[], inverse: boolean, p: Preparation): Transform {
  expectOperands(node, 1, 1, p);
  const options = customOptions(node, 'T fft_length', p);
  const length = integerOption(options, 'fft_length', 4, 131072, p);
  const x = input(node, 0, p);
  const y = output(node, 0, p);
  const names: string[] = [];
  for (let i = 0; i < types.length; i++) names.push(types[i].type);
  expectType(x, names.join(' '), 'the input', p);
  expectType(y, x.type, 'the output', p);
  expectOptionT(options, x, p);
  const rank = x.shape.length;
  if (!rank || y.shape.length !== rank)
    p.fail(
      'input and output must have as many dimensions, but they are ' + describe(x) + ' and ' + describe(y),
    );
  const samples = inverse ? y.shape[rank - 1] : x.shape[rank - 1];
  const spectrum = inverse ? x.shape[rank - 1] : y.shape[rank - 1];
  if (
    length % 2 ||
    !samples ||
    spectrum < length + 2 ||
    spectrum % 2 ||
    (inverse ? samples !== length : samples > length)
  )
    p.fail('with fft_length ' + length + ' it cannot turn ' + describe(x) + ' into ' + describe(y));
  const rows = x.length / x.shape[rank - 1];
  if (y.length !== rows * y.shape[rank - 1])
    p.fail(describe(x) + ' and ' + describe(y) + ' have different numbers of rows');
  const points = length / 2;
  const sign = inverse ? -1 : 1;
  const radices = radicesOf(points, p);
  const turns: number[] = [];
  const joins: number[] = [];
  for (let i = 0; i < points; i++) turns.push((sign * -2 * Math.PI * i) / points);
  for (let i = 1; i <= points / 2; i++) joins.push(sign * -Math.PI * (i / points + 0.5));
  const kind = types[names.indexOf(x.type)];
  return {
    kind: kind,
    points: points,
    x: x,
    y: y,
    rows: rows,
    radices: radices,
    places: placesOf(points, radices),
    twiddles: kind.factors(turns),
    joining: kind.factors(joins),
  };
}

function rowOf(tensor: Tensor, row: number): View {
  const length = tensor.shape[tensor.shape.length - 1];
  return { of: tensor, type: tensor.type, offset: row * length * elementBytes(tensor.type), length: length };
}

/** Steps that transform the placed points in y, innermost stage first. */
function emitStages(t: Transform, y: View, sign: number, p: Preparation): void {
  const kind = t.kind;
  let m = 1;
  for (let i = t.radices.length - 1; i >= 0; i--) {
    const radix = t.radices[i];
    const blocks = t.points / (m * radix);
    const scale = kind.scale(radix);
    // the twiddle factors of the first stage are 1, and change nothing even in fixed point
    if (m > 1) p.step(kind.twiddle, [y, t.twiddles, radix, m, blocks, blocks, scale]);
    else if (scale) p.step(kind.twiddle, [y, t.twiddles, 1, t.points, 1, 0, scale]);
    if (radix === 2) p.step(radix2, [y, m, blocks]);
    else if (radix === 4) p.step(radix4, [y, m, blocks, sign]);
    else {
      const args: Argument[] = [y, m, blocks];
      kind.addFactors(args, t.twiddles, (2 * t.points) / radix, radix);
      p.step(radix === 3 ? kind.radix3 : kind.radix5, args);
    }
    m *= radix;
  }
}

/** SignalRfft and SignalIrfft for the given types of elements. */
export function signalFftOperators(types: FftType[]): Operators {
  return {
    SignalRfft: function (node: Node, p: Preparation): void {
      const t = transformOf(node, types, false, p);
      for (let row = 0; row < t.rows; row++) {
        const x = rowOf(t.x, row);
        const y = rowOf(t.y, row);
        p.step(placePoints, [x, x.length, t.places, y, t.points]);
        emitStages(t, y, 1, p);
        p.step(t.kind.toSpectrum, [y, t.joining, t.points]);
      }
    },
    SignalIrfft: function (node: Node, p: Preparation): void {
      const t = transformOf(node, types, true, p);
      for (let row = 0; row < t.rows; row++) {
        const y = rowOf(t.y, row);
        p.step(t.kind.fromSpectrum, [rowOf(t.x, row), y, t.joining, t.places, t.points]);
        emitStages(t, y, -1, p);
      }
    },
  };
}
