/**
 * How far a quantized model strays from the float one: for every layer and variable, over time. An error that is larger
 * at the end of the streams than at their beginning has come in through the state.
 */
import { load } from '../../lib/index';
import type { Node } from '../../lib/graph';
import type { ModelTensor } from '../../lib/model';
import { writeModel } from '../writer';
import { runStreams, type Stream } from './calibrate';
import type { Quantized } from './index';

/** Differences, as shares of the range that the float value covers (greatest − least, over all streams). */
export interface Difference {
  rms: number;
  max: number;
}

/** Error of one value over the first, second and last third of each stream. */
export interface ErrorOverTime extends Difference {
  name: string;
  /** What computes it: operator and its number; "variable" for those. */
  from: string;
  /** Type and scale in the quantized model; scale 0 for float. */
  type: string;
  scale: number;
  /** Range of the float value, real. */
  low: number;
  high: number;
  beginning: Difference;
  middle: Difference;
  end: Difference;
  /** Whether the error grows: at the end more than twice that at the beginning, and more than 1% of the range. */
  drifts: boolean;
}

export interface Comparison {
  readings: number;
  streams: number;
  layers: ErrorOverTime[];
  variables: ErrorOverTime[];
  /** Outputs are layers too; here they are once more. */
  outputs: ErrorOverTime[];
}

const DRIFT_FACTOR = 2;
const DRIFT_FLOOR = 0.01;

/** Collects differences between two values that should be the same. */
class Watch {
  private low = Infinity;
  private high = -Infinity;
  private readonly squares = [0, 0, 0];
  private readonly most = [0, 0, 0];
  private readonly counts = [0, 0, 0];

  constructor(
    readonly name: string,
    private readonly from: string,
    private readonly float: ModelTensor,
    private readonly quantized: ModelTensor,
  ) {}

  see(part: number): void {
    const { data } = this.quantized;
    const { scale, zeroPoint } = this.quantized;
    for (let i = 0; i < data.length; i++) {
      const exact = this.float.data[i];
      const value = scale ? scale * (data[i] - zeroPoint) : data[i];
      const error = Math.abs(value - exact);
      if (exact < this.low) this.low = exact;
      if (exact > this.high) this.high = exact;
      this.squares[part] += error * error;
      if (error > this.most[part]) this.most[part] = error;
    }
    this.counts[part] += data.length;
  }

  report(): ErrorOverTime {
    const range = this.high - this.low || Math.abs(this.high) || 1;
    const part = (...parts: number[]): Difference => {
      const count = parts.reduce((sum, i) => sum + this.counts[i], 0);
      const squares = parts.reduce((sum, i) => sum + this.squares[i], 0);
      return {
        rms: count ? Math.sqrt(squares / count) / range : 0,
        max: Math.max(...parts.map((i) => this.most[i])) / range,
      };
    };
    const [beginning, middle, end] = [part(0), part(1), part(2)];
    return {
      name: this.name,
      from: this.from,
      type: this.quantized.type,
      scale: this.quantized.scale,
      low: this.low,
      high: this.high,
      ...part(0, 1, 2),
      beginning,
      middle,
      end,
      drifts: end.rms > DRIFT_FACTOR * beginning.rms && end.rms > DRIFT_FLOOR,
    };
  }
}

/**
 * Runs both models side by side, each with its own state.
 * @param streams recordings, each from the initial state
 * @param onStep called after each reading with how many are done
 */
export function compareModels(
  quantized: Quantized,
  streams: readonly Stream[],
  onStep: (done: number) => void = () => undefined,
): Comparison {
  const options = { preserve: true, share: false };
  const float = load(writeModel(quantized.float), options);
  const integer = load(writeModel(quantized.graph), options);
  const [main] = quantized.float.subgraphs;
  const computedBy = new Map(
    main.nodes.flatMap((node) => node.outputs.map((tensor) => [tensor, node] as const)),
  );
  const layers = quantized.pairs
    .filter((pair) => computedBy.has(pair.float) && isComputed(quantized, pair.quantized.index))
    .map((pair) => {
      const node = computedBy.get(pair.float)!;
      const [a, b] = [float.tensor(pair.float.index), integer.tensor(pair.quantized.index)];
      return { pair, watch: new Watch(pair.float.name || `tensor ${pair.float.index}`, nameOf(node), a, b) };
    });
  const variables = float.variables
    .names()
    .filter((name) => float.variables.get(name).type === 'FLOAT32')
    .map((name) => new Watch(name, 'variable', float.variables.get(name), integer.variables.get(name)));
  const watches = [...layers.map(({ watch }) => watch), ...variables];
  let readings = 0;
  runStreams([float, integer], streams, (stream, step) => {
    const part = Math.min(2, Math.floor((3 * step) / streams[stream].length));
    for (const watch of watches) watch.see(part);
    onStep(++readings);
  });
  return {
    readings,
    streams: streams.length,
    layers: layers.map(({ watch }) => watch.report()),
    variables: variables.map((watch) => watch.report()),
    outputs: layers
      .filter(({ pair }) => main.outputs.includes(pair.float))
      .map(({ watch }) => watch.report()),
  };
}

function isComputed({ graph }: Quantized, index: number): boolean {
  const [main] = graph.subgraphs;
  return main.nodes.some((node) => node.outputs.includes(main.tensors[index]));
}

function nameOf(node: Node): string {
  return `${node.index} ${node.op}`;
}
