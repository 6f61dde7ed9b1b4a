/** Random cases of the operators that move data. */
import { type Options } from '../../lib/graph';
import { type Random } from '../../author/random';
import { lengthOf, type Operand } from './one_operator';

/** Where an element of an output comes from: an index into an input, or null for the fill value. */
export type Source = { input: number; index: number[] } | null;

export interface Case {
  op: string;
  shapes: number[][];
  /** Constant operands after the data. */
  constants?: Operand[];
  constantsFirst?: boolean;
  outputs: number[][];
  options?: Options;
  source(output: number, index: number[]): Source;
}

export const ints = (values: number[], shape = [values.length], type = 'INT32'): Operand => ({
  type,
  shape,
  values,
  constant: true,
});

export function flat(index: number[], shape: number[]): number {
  return index.reduce((at, i, d) => at * shape[d] + i, 0);
}

export function unflat(at: number, shape: number[]): number[] {
  const index: number[] = [];
  for (let d = shape.length - 1; d >= 0; d--) {
    index.unshift(at % shape[d]);
    at = Math.floor(at / shape[d]);
  }
  return index;
}

const some = (next: Random, rank: number, most = 4): number[] =>
  Array.from({ length: rank }, () => next.integer(1, most));

/** One random case of each operator, with a naive rule for where each element comes from. */
export const CASES: Record<string, (next: Random) => Case> = {
  TRANSPOSE(next) {
    const shape = some(next, next.integer(0, 6));
    const permutation = shape.map((_, i) => i).sort(() => next() - 0.5);
    return {
      op: 'TRANSPOSE',
      shapes: [shape],
      constants: [ints(permutation)],
      outputs: [permutation.map((axis) => shape[axis])],
      source: (_, index) => ({ input: 0, index: shape.map((_, d) => index[permutation.indexOf(d)]) }),
    };
  },
  REVERSE_V2(next) {
    const shape = some(next, next.integer(1, 5));
    const axes = shape.map((_, i) => i).filter(() => next() < 0.5);
    return {
      op: 'REVERSE_V2',
      shapes: [shape],
      constants: [ints(axes.map((axis) => (next() < 0.5 ? axis : axis - shape.length)))],
      outputs: [shape],
      source: (_, index) => ({
        input: 0,
        index: index.map((i, d) => (axes.includes(d) ? shape[d] - 1 - i : i)),
      }),
    };
  },
  STRIDED_SLICE(next) {
    // positions are drawn; begin, end and stride are made to give them
    const shape = some(next, next.integer(1, 5), 6);
    const taken = shape.map((n) => {
      const step = next.integer(1, 3) * (next() < 0.3 ? -1 : 1);
      const first = next.integer(0, n - 1);
      const positions: number[] = [];
      for (let i = first; i >= 0 && i < n && next() < 0.8; i += step) positions.push(i);
      return positions.length ? { step, positions } : { step, positions: [first] };
    });
    const shrink = taken.map((t) => t.positions.length === 1 && next() < 0.4);
    const bits = (set: (d: number) => boolean): number =>
      shape.reduce((mask, _, d) => mask | (set(d) ? 1 << d : 0), 0);
    const beyond = taken.map((t) => t.positions[t.positions.length - 1] + t.step);
    const open = shape.map((n, d) => beyond[d] < 0 || (beyond[d] >= n && next() < 0.5));
    const started = taken.map((t, d) => t.positions[0] === (t.step > 0 ? 0 : shape[d] - 1) && next() < 0.5);
    return {
      op: 'STRIDED_SLICE',
      shapes: [shape],
      constants: [
        ints(
          taken.map((t, d) =>
            started[d] && !shrink[d] ? 77 : t.positions[0] - (next() < 0.5 ? shape[d] : 0),
          ),
        ),
        ints(beyond.map((end, d) => (open[d] || shrink[d] ? -99 : end))),
        ints(taken.map((t) => t.step)),
      ],
      options: {
        begin_mask: bits((d) => started[d] && !shrink[d]),
        end_mask: bits((d) => open[d]),
        shrink_axis_mask: bits((d) => shrink[d]),
      },
      outputs: [taken.filter((_, d) => !shrink[d]).map((t) => t.positions.length)],
      source: (_, index) => {
        const rest = index.slice();
        return { input: 0, index: taken.map((t, d) => t.positions[shrink[d] ? 0 : rest.shift()!]) };
      },
    };
  },
  SLICE(next) {
    const shape = some(next, next.integer(1, 6), 5);
    const begin = shape.map((n) => next.integer(0, n - 1));
    const size = shape.map((n, d) => next.integer(0, 20) && next.integer(1, n - begin[d]));
    const type = next() < 0.5 ? 'INT64' : 'INT32';
    const asked = size.map((n, d) => (n === shape[d] - begin[d] && next() < 0.5 ? -1 : n));
    return {
      op: 'SLICE',
      shapes: [shape],
      constants: [ints(begin, [begin.length], type), ints(asked, [begin.length], type)],
      outputs: [size],
      source: (_, index) => ({ input: 0, index: index.map((i, d) => i + begin[d]) }),
    };
  },
  PAD(next) {
    const shape = some(next, next.integer(1, 6), 3);
    const paddings = shape.flatMap(() => [next.integer(0, 2), next.integer(0, 2)]);
    return {
      op: 'PAD',
      shapes: [shape],
      constants: [ints(paddings, [shape.length, 2], next() < 0.5 ? 'INT64' : 'INT32')],
      outputs: [shape.map((n, d) => paddings[2 * d] + n + paddings[2 * d + 1])],
      source: (_, index) => {
        const inner = index.map((i, d) => i - paddings[2 * d]);
        return inner.every((i, d) => i >= 0 && i < shape[d]) ? { input: 0, index: inner } : null;
      },
    };
  },
  MIRROR_PAD(next) {
    const shape = some(next, next.integer(1, 4), 4);
    const reflect = next() < 0.5;
    const paddings = shape.flatMap((n) => [0, 1].map(() => next.integer(0, reflect ? n - 1 : n)));
    const mirror = (i: number, n: number): number => {
      const shift = reflect ? 0 : 1;
      return i < 0 ? -i - shift : i >= n ? 2 * n - 2 + shift - i : i;
    };
    return {
      op: 'MIRROR_PAD',
      shapes: [shape],
      constants: [ints(paddings, [shape.length, 2])],
      options: { mode: reflect ? 0 : 1 },
      outputs: [shape.map((n, d) => paddings[2 * d] + n + paddings[2 * d + 1])],
      source: (_, index) => ({ input: 0, index: index.map((i, d) => mirror(i - paddings[2 * d], shape[d])) }),
    };
  },
  CONCATENATION(next) {
    const shape = some(next, next.integer(1, 5), 3);
    const axis = next.integer(0, shape.length - 1);
    const sizes = Array.from({ length: next.integer(1, 12) }, () => next.integer(0, 3));
    const total = sizes.reduce((a, b) => a + b);
    const along = (n: number): number[] => shape.map((m, d) => (d === axis ? n : m));
    return {
      op: 'CONCATENATION',
      shapes: sizes.map(along),
      options: { axis: next() < 0.5 ? axis : axis - shape.length },
      outputs: [along(total)],
      source: (_, index) => {
        let at = index[axis];
        let input = 0;
        while (at >= sizes[input]) at -= sizes[input++];
        return { input, index: index.map((i, d) => (d === axis ? at : i)) };
      },
    };
  },
  SPLIT_V(next) {
    const shape = some(next, next.integer(1, 5), 3);
    const axis = next.integer(0, shape.length - 1);
    const sizes = Array.from({ length: next.integer(1, 5) }, () => next.integer(0, 3));
    shape[axis] = sizes.reduce((a, b) => a + b);
    const open = next.integer(0, sizes.length - 1);
    const asked = sizes.map((n, i) => (i === open && next() < 0.5 ? -1 : n));
    const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
    return {
      op: 'SPLIT_V',
      shapes: [shape],
      constants: [ints(asked), ints([next() < 0.5 ? axis : axis - shape.length], [])],
      outputs: sizes.map((n) => shape.map((m, d) => (d === axis ? n : m))),
      source: (output, index) => ({
        input: 0,
        index: index.map((i, d) => (d === axis ? i + starts[output] : i)),
      }),
    };
  },
  SPLIT(next) {
    const shape = some(next, next.integer(1, 5), 3);
    const axis = next.integer(0, shape.length - 1);
    const count = next.integer(1, 4);
    const size = shape[axis];
    return {
      op: 'SPLIT',
      shapes: [shape.map((n, d) => (d === axis ? n * count : n))],
      constants: [ints([axis], [])],
      constantsFirst: true,
      options: { num_splits: count },
      outputs: Array.from({ length: count }, () => shape),
      source: (output, index) => ({
        input: 0,
        index: index.map((i, d) => (d === axis ? i + size * output : i)),
      }),
    };
  },
  PACK(next) {
    const shape = some(next, next.integer(0, 4), 3);
    const axis = next.integer(0, shape.length);
    const count = next.integer(1, 4);
    return {
      op: 'PACK',
      shapes: Array.from({ length: count }, () => shape),
      options: { axis: next() < 0.5 ? axis : axis - shape.length - 1, values_count: count },
      outputs: [shape.slice(0, axis).concat(count, shape.slice(axis))],
      source: (_, index) => ({ input: index[axis], index: index.filter((_, d) => d !== axis) }),
    };
  },
  UNPACK(next) {
    const shape = some(next, next.integer(1, 5), 3);
    const axis = next.integer(0, shape.length - 1);
    return {
      op: 'UNPACK',
      shapes: [shape],
      options: { axis: next() < 0.5 ? axis : axis - shape.length, num: shape[axis] },
      outputs: Array.from({ length: shape[axis] }, () => shape.filter((_, d) => d !== axis)),
      source: (output, index) => ({
        input: 0,
        index: [...index.slice(0, axis), output, ...index.slice(axis)],
      }),
    };
  },
  BROADCAST_TO(next) {
    const full = some(next, next.integer(0, 6), 3);
    const shape = full.map((n) => (next() < 0.4 ? 1 : n)).slice(next.integer(0, full.length));
    return {
      op: 'BROADCAST_TO',
      shapes: [shape],
      constants: [ints(full, [full.length], next() < 0.5 ? 'INT64' : 'INT32')],
      outputs: [full],
      source: (_, index) => ({
        input: 0,
        index: index.slice(full.length - shape.length).map((i, d) => (shape[d] === 1 ? 0 : i)),
      }),
    };
  },
  TILE(next) {
    const shape = some(next, next.integer(1, 4), 3);
    const times = some(next, shape.length, 3);
    return {
      op: 'TILE',
      shapes: [shape],
      constants: [ints(times, [times.length], next() < 0.5 ? 'INT64' : 'INT32')],
      outputs: [shape.map((n, d) => n * times[d])],
      source: (_, index) => ({ input: 0, index: index.map((i, d) => i % shape[d]) }),
    };
  },
  SPACE_TO_DEPTH(next) {
    const [batches, rows, columns, channels] = some(next, 4, 3);
    const b = next.integer(1, 3);
    return {
      op: 'SPACE_TO_DEPTH',
      shapes: [[batches, rows * b, columns * b, channels]],
      options: { block_size: b },
      outputs: [[batches, rows, columns, b * b * channels]],
      source: (_, [n, y, x, c]) => {
        const [dy, dx, channel] = unflat(c, [b, b, channels]);
        return { input: 0, index: [n, y * b + dy, x * b + dx, channel] };
      },
    };
  },
  DEPTH_TO_SPACE(next) {
    const [batches, rows, columns, channels] = some(next, 4, 3);
    const b = next.integer(1, 3);
    return {
      op: 'DEPTH_TO_SPACE',
      shapes: [[batches, rows, columns, b * b * channels]],
      options: { block_size: b },
      outputs: [[batches, rows * b, columns * b, channels]],
      source: (_, [n, y, x, c]) => ({
        input: 0,
        index: [n, Math.floor(y / b), Math.floor(x / b), flat([y % b, x % b, c], [b, b, channels])],
      }),
    };
  },
  SPACE_TO_BATCH_ND(next) {
    const m = next.integer(1, 3);
    const block = some(next, m, 4);
    const inner = some(next, m, 7);
    const edges = inner.flatMap((n, i) => {
      const before = next.integer(0, 3);
      return [
        before,
        block[i] - 1 - ((before + n + block[i] - 1) % block[i]) + next.integer(0, 1) * block[i],
      ];
    });
    const batches = next.integer(1, 2);
    const rest = some(next, next.integer(0, 2), 3);
    const outer = inner.map((n, i) => (edges[2 * i] + n + edges[2 * i + 1]) / block[i]);
    return {
      op: 'SPACE_TO_BATCH_ND',
      shapes: [[batches, ...inner, ...rest]],
      constants: [ints(block), ints(edges, [m, 2])],
      outputs: [[batches * lengthOf(block), ...outer, ...rest]],
      source: (_, index) => {
        const [batch, ...within] = [index[0] % batches, ...unflat(Math.floor(index[0] / batches), block)];
        const at = inner.map((_, i) => index[i + 1] * block[i] + within[i] - edges[2 * i]);
        return at.every((k, i) => k >= 0 && k < inner[i])
          ? { input: 0, index: [batch, ...at, ...index.slice(m + 1)] }
          : null;
      },
    };
  },
  BATCH_TO_SPACE_ND(next) {
    const m = next.integer(1, 3);
    const block = some(next, m, 4);
    const outer = some(next, m, 3);
    const edges = outer.flatMap((n, i) => {
      const before = next.integer(0, n * block[i] - 1);
      return [before, next.integer(0, n * block[i] - 1 - before)];
    });
    const batches = next.integer(1, 2);
    const rest = some(next, next.integer(0, 2), 3);
    return {
      op: 'BATCH_TO_SPACE_ND',
      shapes: [[batches * lengthOf(block), ...outer, ...rest]],
      constants: [ints(block), ints(edges, [m, 2])],
      outputs: [[batches, ...outer.map((n, i) => n * block[i] - edges[2 * i] - edges[2 * i + 1]), ...rest]],
      source: (_, index) => {
        const at = outer.map((_, i) => index[i + 1] + edges[2 * i]);
        const batch =
          flat(
            at.map((k, i) => k % block[i]),
            block,
          ) *
            batches +
          index[0];
        return {
          input: 0,
          index: [batch, ...at.map((k, i) => Math.floor(k / block[i])), ...index.slice(m + 1)],
        };
      },
    };
  },
};
