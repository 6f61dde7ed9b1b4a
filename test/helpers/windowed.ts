/** Window operators in plain terms: which element of the input meets which weight in which output. */
import { lengthOf } from './one_operator';

/** A window operator in plain terms: which input and weight meet in which output. */
export interface Geometry {
  x: number[];
  w: number[];
  y: number[];
  stride: [number, number];
  dilation: [number, number];
  pad: [number, number];
  kind: 'conv' | 'depthwise' | 'transpose';
}

/** Every product of a geometry, output by output. */
export function sums(g: Geometry, term: (xAt: number, wAt: number) => number): number[] {
  const [, oh, ow, units] = g.y;
  const [, height, width, depth] = g.x;
  const [fh, fw] = [g.w[1], g.w[2]];
  const perGroup = g.kind === 'depthwise' ? 1 : g.w[3];
  const unitsPerGroup = units / (depth / perGroup);
  return Array.from({ length: lengthOf(g.y) }, (_, k) => {
    const unit = k % units;
    const ox = Math.floor(k / units) % ow;
    const oy = Math.floor(k / (units * ow)) % oh;
    const batch = Math.floor(k / (units * ow * oh));
    let sum = 0;
    for (let ky = 0; ky < fh; ky++) {
      for (let kx = 0; kx < fw; kx++) {
        const at = (o: number, tap: number, axis: 0 | 1): number =>
          g.kind === 'transpose'
            ? (o + g.pad[axis] - tap) / g.stride[axis]
            : o * g.stride[axis] - g.pad[axis] + tap * g.dilation[axis];
        const iy = at(oy, ky, 0);
        const ix = at(ox, kx, 1);
        if (!Number.isInteger(iy) || !Number.isInteger(ix)) continue;
        if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
        for (let i = 0; i < perGroup; i++) {
          const channel = Math.floor(unit / unitsPerGroup) * perGroup + i;
          const wAt =
            g.kind === 'depthwise'
              ? (ky * fw + kx) * units + unit
              : ((unit * fh + ky) * fw + kx) * perGroup + i;
          sum += term(((batch * height + iy) * width + ix) * depth + channel, wAt);
        }
      }
    }
    return sum;
  });
}
