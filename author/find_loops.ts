/** Finds outputs that are meant for inputs of the next step, by their names. */
import type { Graph, Tensor } from '../lib/graph';
import { describe, newArray, sameShape } from '../lib/tensor';
import { type Loop, LOOPS_METADATA } from './statify';

/** The name without what converters put around it: "serving_default_state_in:0" → "state_in". */
function plain(name: string): string {
  return name
    .replace(/^serving_default_/, '')
    .replace(/:\d+$/, '')
    .toLowerCase();
}

/** A name's words, with those that tell direction taken out; null when there are none. */
function withoutDirection(name: string, words: RegExp): string | null {
  const parts = plain(name).split(/[^a-z0-9]+|(?<=[a-z])(?=\d)/);
  const rest = parts.filter((part) => !words.test(part));
  return rest.length < parts.length ? rest.join('_') : null;
}

const IN = /^(in|input|inputs|prev|previous|old|initial|init|past)$/;
const OUT = /^(out|output|outputs|next|new|final|present|updated)$/;

function fits(from: Tensor, to: Tensor): boolean {
  return (
    from.type === to.type &&
    sameShape(from.shape, to.shape) &&
    from.scale === to.scale &&
    from.zeroPoint === to.zeroPoint
  );
}

function fromMetadata(graph: Graph): Loop[] | null {
  const entry = graph.metadata.find(({ name }) => name === LOOPS_METADATA);
  if (!entry) return null;
  const loops = JSON.parse(Buffer.from(entry.data).toString()) as {
    out: string;
    in: string;
    initial: number[] | null;
  }[];
  return loops.map((loop) => {
    const tensor = graph.subgraphs[0].inputs.find(({ name }) => name === loop.in);
    if (!tensor || !loop.initial) return { ...loop, initial: null };
    const initial = newArray(tensor.type, tensor.length);
    initial.set(loop.initial);
    return { ...loop, initial };
  });
}

/**
 * Loops that the model itself declares (made by `unstatify`), or whose names tell: state_in and state_out, h and
 * h_next, prev_cell and new_cell.
 * @throws Error when there are none; it lists which outputs would fit which inputs
 */
export function findLoops(graph: Graph): Loop[] {
  const declared = fromMetadata(graph);
  if (declared) return declared;
  const [{ inputs, outputs }] = graph.subgraphs;
  const loops: Loop[] = [];
  const taken = new Set<Tensor>();
  for (const to of inputs) {
    const base = withoutDirection(to.name, IN) ?? plain(to.name);
    const from = outputs.find(
      (output) => !taken.has(output) && fits(output, to) && withoutDirection(output.name, OUT) === base,
    );
    if (!from) continue;
    taken.add(from);
    loops.push({ out: from.name, in: to.name, initial: null });
  }
  if (loops.length) return loops;
  const possible = inputs.flatMap((to) =>
    outputs
      .filter((from) => fits(from, to))
      .map((from) => `--loop "${from.name}=${to.name}" (${describe(to)})`),
  );
  throw new Error(
    'no names of inputs and outputs tell a loop, such as state_in and state_out; ' +
      (possible.length
        ? `by type and shape these would fit: ${possible.join(', ')}`
        : 'and no output fits any input'),
  );
}
