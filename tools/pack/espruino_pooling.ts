/** AVERAGE_POOL_2D and MAX_POOL_2D on Espruino, where all windows are inside of the image. */
import type { TypedArray } from '../../lib/graph';
import { viewsOf, X, Y } from './espruino_places';
import { arrayName } from './print';
import {
  call,
  made,
  reachable,
  type Args,
  type Argument,
  type Parameter,
  type Replacement,
} from './replacement';

const POOLING = 'engines/espruino/pooling';

/** Taps from which gathering a channel is faster than reading its taps one by one. */
const LEAST = 4;
/** What a function may be applied to. */
const MOST_ARGUMENTS = 256;

/** What is done with a channel once its taps are side by side. */
type Reduction = (taps: number) => { name: string; args: number[] };

function pool(args: Args, reduction: Reduction): Replacement | null {
  const [x, y] = args as TypedArray[];
  const [
    batches,
    height,
    width,
    channels,
    rows,
    columns,
    strideY,
    strideX,
    sizeY,
    sizeX,
    padY,
    padX,
    min,
    max,
  ] = args.slice(2) as number[];
  const inside =
    padY === 0 &&
    padX === 0 &&
    (rows - 1) * strideY + sizeY <= height &&
    (columns - 1) * strideX + sizeX <= width;
  const row = width * channels;
  const span = (sizeY - 1) * row + (sizeX - 1) * channels + 1;
  const taps = sizeY * sizeX;
  if (batches !== 1 || !inside || taps < LEAST || span > 65535 || !reachable(x) || !reachable(y)) return null;
  const column = made(null, () => `new ${arrayName(x)}(${taps})`);
  const starts = made(null, () => `windowStarts(${sizeY}, ${sizeX}, ${row}, ${channels})`);
  const { name, args: more } = reduction(taps);
  const window = (from: TypedArray | Parameter, to: TypedArray | Parameter): Replacement => {
    const work: Argument[] = [channels, 0, 0, from, to, column, starts, span, ...more, min, max];
    return call(POOLING, name, [...work, ...viewsOf(x)], 'windowStarts');
  };
  if (rows === 1 && columns === 1) return window(x, y);
  const bytes = x.BYTES_PER_ELEMENT;
  const steps = [strideY * row * bytes, strideX * channels * bytes, span + channels - 1, channels];
  return call(POOLING, 'eachWindow', [x, y, { row: window(X, Y) }, rows, columns, ...steps, ...viewsOf(x)]);
}

export function averagePool(args: Args): Replacement | null {
  const whole = args[args.length - 1] === 1;
  return pool(args, (taps) =>
    whole ? { name: 'averageWhole', args: [taps, taps >> 1] } : { name: 'averageFloat32', args: [taps] },
  );
}

export function maxPool(args: Args): Replacement | null {
  const [sizeY, sizeX] = args.slice(10) as number[];
  if (sizeY * sizeX > MOST_ARGUMENTS) return null;
  return pool(args, () => ({ name: 'largest', args: [] }));
}
