/** engram bench: how fast a model runs, on one engine or on all that are at hand. */
import { Command } from 'commander';
import { ENGINE_NAMES, engineNamed, engines } from '../../engines/index';
import { bench, type BenchReport, type EngineBench } from '../bench';
import { readBytes } from '../files';
import { progress } from '../progress';
import { table } from '../table';

interface BenchOptions {
  steps?: string;
  engine?: string;
  all?: boolean;
  profile?: boolean;
  timeout: string;
  json?: boolean;
}

/** A whole number from 1 on. */
export function positive(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${name} must be a whole number from 1 on, but it is "${text}"`);
  return value;
}

/** A figure with three digits that count. */
export function figure(value: number | null): string {
  if (value === null) return '–';
  return value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function kilobytes(bytes: number | null | undefined): string {
  return bytes === null || bytes === undefined ? '–' : `${(bytes / 1024).toFixed(1)} KB`;
}

function heapText(result: EngineBench): string {
  if (!result.heap) return '–';
  const { used, peak } = result.heap;
  return used !== null ? kilobytes(used) : peak !== null ? `${kilobytes(peak)} peak` : '–';
}

/** One line for each engine. */
export function enginesTable(results: EngineBench[]): string {
  return table(
    [
      'engine',
      'µs per step',
      'ns per MAC',
      'bare loop',
      'ratio',
      'load',
      'first step',
      'heap, all',
      'heap, model',
    ],
    results.map((result) =>
      result.error !== null
        ? [result.title, result.error]
        : [
            result.title,
            figure(result.microsecondsPerStep),
            figure(result.nanosecondsPerMac),
            figure(result.bareLoop!.nanosecondsPerMac),
            figure(result.ratio),
            `${figure(result.loadMilliseconds)} ms`,
            `${figure(result.firstStepMilliseconds)} ms`,
            heapText(result),
            kilobytes(result.heap?.model),
          ],
    ),
  );
}

function profileTable(result: EngineBench): string {
  const rows = result.profile!.operators.map((operator) => [
    operator.name,
    operator.count,
    figure(operator.microsecondsPerStep),
    `${(100 * operator.share).toFixed(1)}%`,
    operator.macs,
    figure(operator.nanosecondsPerMac),
  ]);
  return `${result.title}:\n${table(['operator', 'count', 'µs per step', 'share', 'MACs', 'ns per MAC'], rows)}`;
}

/** The report as text for people. */
export function reportText(report: BenchReport): string {
  const { memory, stateBytesCopied } = report;
  const parts = [
    `${report.model}: ${report.bytes} bytes, ${report.macs} multiply-accumulates (MACs) per step`,
    enginesTable(report.results),
  ];
  for (const result of report.results) if (result.profile) parts.push(profileTable(result));
  parts.push(
    `memory: ${memory.arena} bytes of arena, ${memory.variables} of state, ${memory.constants} of constants, ` +
      `${memory.tables} of tables`,
  );
  if (memory.variables)
    parts.push(
      `state copied per step: ${stateBytesCopied.engram} bytes; copying always: ${stateBytesCopied.copyAlways}`,
    );
  if (report.absent.length)
    parts.push(
      'Not on this machine:\n' + report.absent.map(({ title, hint }) => `  ${title}: ${hint}`).join('\n'),
    );
  return parts.join('\n\n') + '\n';
}

export function benchCommand(): Command {
  return new Command('bench')
    .description(
      'Measure a model on an engine: time per step and per multiply-accumulate, beside a bare loop on int8 in the same ' +
        'run. Exit status 1: an engine could not run it.',
    )
    .argument('<model>', 'a .tflite file')
    .option('--engine <name>', `${ENGINE_NAMES.join(', ')} (default: node)`)
    .option('--all', 'every engine that is on this machine')
    .option('--profile', 'time per operator as well; with the readable bundle')
    .option(
      '--steps <n>',
      'steps in a round; of several rounds the fastest counts (default: what fills 20 ms)',
    )
    .option('--timeout <seconds>', 'most time for an engine', '120')
    .option('--json', 'print JSON for programs')
    .action(async (file: string, options: BenchOptions) => {
      if (options.all && options.engine) throw new Error('either --engine or --all, not both');
      const chosen = options.all ? engines : [engineNamed(options.engine ?? 'node')];
      if (!options.all && chosen[0].find() === null)
        throw new Error(`${chosen[0].title} is not on this machine: ${chosen[0].hint}`);
      const bar = progress(chosen.length, 'engines');
      let count = 0;
      const report = await bench(
        file,
        readBytes(file),
        chosen,
        {
          steps: options.steps === undefined ? undefined : positive(options.steps, '--steps'),
          profile: options.profile,
          timeoutSeconds: positive(options.timeout, '--timeout'),
        },
        () => bar.update(++count),
      ).finally(() => bar.stop());
      process.stdout.write(options.json ? JSON.stringify(report, null, 2) + '\n' : reportText(report));
      if (report.results.some((result) => result.error !== null)) process.exitCode = 1;
    });
}
