/** engram inspect: what a model is made of, whether it runs, and what memory it takes. */
import { Command } from 'commander';
import { fillZero, newArray, storageBytes } from '../../lib/tensor';
import type { Memory } from '../../lib/memory';
import { load, readGraph } from '../../lib/index';
import type { Graph, Tensor, TypedArray } from '../../lib/graph';
import { boardNamed, type Fit, fitOn, needOf } from '../boards';
import { catalogue } from '../catalogue/index';
import { diagnose, type Diagnosis } from '../diagnose';
import { readBytes } from '../files';
import { table } from '../table';

/** A tensor in the report. */
export interface TensorReport {
  name: string;
  type: string;
  shape: number[];
  bytes: number;
  /** null when the tensor is not quantized. */
  scale: number | null;
  zeroPoint: number | null;
}

export interface VariableReport extends TensorReport {
  container: string;
  /** "resource" for VAR_HANDLE variables, "operator" for state that an operator keeps. */
  kind: 'resource' | 'operator';
  /** Stored values at the start. */
  initial: number[];
}

/** What `engram inspect --json` prints. Names of fields are part of the interface. */
export interface InspectReport {
  file: string;
  bytes: number;
  description: string;
  subgraphs: number;
  /** Whether the model can run. */
  runs: boolean;
  /** All that keeps it from running. */
  problems: string[];
  operators: { name: string; count: number; supported: boolean }[];
  inputs: TensorReport[];
  outputs: TensorReport[];
  variables: VariableReport[];
  /** Exact bytes; null when the model cannot run. */
  memory: Memory | null;
}

function reportTensor(tensor: Tensor): TensorReport {
  const { name, type, shape, bytes } = tensor;
  return {
    name,
    type,
    shape,
    bytes,
    scale: tensor.scales ? tensor.scale : null,
    zeroPoint: tensor.scales ? tensor.zeroPoint : null,
  };
}

function countOperators(graph: Graph, diagnosis: Diagnosis): InspectReport['operators'] {
  const counts = new Map<string, number>();
  for (const node of graph.subgraphs.flatMap((subgraph) => subgraph.nodes)) {
    counts.set(node.op, (counts.get(node.op) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, count, supported: !diagnosis.unsupported.has(name) }));
}

/**
 * Looks at a model.
 * @throws Error when the file cannot be read as a .tflite model at all
 */
export function inspect(file: string, bytes: Uint8Array): InspectReport {
  const graph = readGraph(bytes);
  const diagnosis = diagnose(graph);
  const report: InspectReport = {
    file,
    bytes: bytes.length,
    description: graph.description,
    subgraphs: graph.subgraphs.length,
    runs: diagnosis.problems.length === 0,
    problems: diagnosis.problems,
    operators: countOperators(graph, diagnosis),
    inputs: graph.subgraphs[0].inputs.map(reportTensor),
    outputs: graph.subgraphs[0].outputs.map(reportTensor),
    variables: [],
    memory: null,
  };
  if (!report.runs) return report;
  try {
    const model = load(bytes);
    report.memory = model.memory;
    report.variables = model.program.variables.map((variable) => {
      const { tensor } = variable;
      let { initial } = variable;
      if (!initial) fillZero((initial = newArray(tensor.type, tensor.length)), tensor);
      return {
        name: variable.name,
        container: variable.container,
        type: tensor.type,
        shape: tensor.shape,
        bytes: storageBytes(tensor.type, tensor.length),
        scale: tensor.scale || null,
        zeroPoint: tensor.scale ? tensor.zeroPoint : null,
        kind: variable.resource ? 'resource' : 'operator',
        initial: Array.from(initial as TypedArray),
      };
    });
  } catch (error) {
    report.runs = false;
    report.problems.push((error as Error).message);
  }
  return report;
}

function shapeText(shape: number[]): string {
  return `[${shape.join(',')}]`;
}

function quantizationText(tensor: TensorReport): string {
  return tensor.scale === null ? '' : `scale ${tensor.scale}, zero point ${tensor.zeroPoint}`;
}

function initialText(variable: VariableReport): string {
  const { initial } = variable;
  if (initial.every((value) => value === initial[0])) return initial.length ? `all ${initial[0]}` : '';
  return initial.length > 6 ? `${initial.slice(0, 6).join(' ')} …` : initial.join(' ');
}

/** The report as text for people. */
export function reportText(report: InspectReport): string {
  const parts = [
    `${report.file}: ${report.bytes} bytes, ${report.subgraphs} subgraph${report.subgraphs === 1 ? '' : 's'}` +
      (report.description ? `, "${report.description}"` : ''),
    table(
      ['operator', 'count', 'supported'],
      report.operators.map((operator) => [operator.name, operator.count, operator.supported ? 'yes' : 'NO']),
    ),
  ];
  for (const side of ['inputs', 'outputs'] as const) {
    const rows = report[side].map((t) => [t.name, t.type, shapeText(t.shape), t.bytes, quantizationText(t)]);
    parts.push(table([side, 'type', 'shape', 'bytes', ''], rows));
  }
  if (report.variables.length) {
    const rows = report.variables.map((v) => [
      v.container ? `${v.container}/${v.name}` : v.name,
      v.type,
      shapeText(v.shape),
      v.bytes,
      initialText(v),
      v.kind,
    ]);
    parts.push(table(['variables', 'type', 'shape', 'bytes', 'initial value', 'kind'], rows));
  }
  if (report.memory) {
    const { arena, variables, constants, tables } = report.memory;
    parts.push(
      table(
        ['memory', 'bytes', ''],
        [
          ['arena', arena, 'working memory, shared over time'],
          ['variables', variables, 'state, for each stream'],
          ['constants', constants, 'weights: views on the file, flash on a chip'],
          ['tables', tables, 'multipliers, sums and lookup tables computed when loading'],
        ],
      ),
    );
  }
  if (report.problems.length)
    parts.push(`It cannot run:\n${report.problems.map((line) => `  ${line}`).join('\n')}`);
  else parts.push('It runs.');
  return parts.join('\n\n') + '\n';
}

/** Whether a model fits on a board, as text. */
function fitText(fit: Fit): string {
  const row = (title: string, side: Fit['flash']): (string | number)[] => [
    title,
    side.needed,
    side.available,
    side.margin,
  ];
  return (
    table(
      [fit.board, 'needs', 'has', 'margin'],
      [row('Storage, bytes', fit.flash), row('RAM, bytes', fit.ram)],
    ) + `\n\nPacked, it ${fit.fits ? 'fits' : 'does not fit'} on ${fit.board}; RAM is estimated.\n`
  );
}

function operatorsText(): string {
  return catalogue()
    .map(({ op, types, reference, notes }) =>
      [`${op}: ${types.join(', ')} (${reference})`, ...notes.map((note) => `    ${note}`)].join('\n'),
    )
    .join('\n')
    .concat('\n');
}

export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'Show operators, inputs, outputs, variables and exact memory of a model. Exit status 1: it cannot run.',
    )
    .argument('[model]', 'a .tflite file')
    .option('--json', 'print JSON for programs')
    .option('--ops', 'list the operators of this build instead: types, reference, notes')
    .option('--board <name>', 'also whether it fits on a board when packed: PUCKJS, BANGLEJS2, ESP32 …')
    .action(async (file: string | undefined, options: { json?: boolean; ops?: boolean; board?: string }) => {
      if (options.ops) {
        process.stdout.write(options.json ? JSON.stringify(catalogue(), null, 2) + '\n' : operatorsText());
        return;
      }
      if (!file) throw new Error("missing required argument 'model'");
      const board = options.board === undefined ? null : boardNamed(options.board);
      const bytes = readBytes(file);
      const report = inspect(file, bytes);
      const fit = board && report.runs ? fitOn(board, await needOf(bytes)) : undefined;
      process.stdout.write(
        options.json
          ? JSON.stringify({ ...report, fit }, null, 2) + '\n'
          : reportText(report) + (fit ? '\n' + fitText(fit) : ''),
      );
      if (!report.runs) process.exitCode = 1;
    });
}
