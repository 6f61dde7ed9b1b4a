/** Benchmarks of time on Node and on the other engines; every figure beside a bare loop in the same run. */
import { engineNamed, engines } from '../engines/index';
import { bench, measureOn, subject, type EngineBench } from './bench';
import { ownModels, publicModels, publicModelsNamed, type BenchModel } from './bench_subjects';
import { enginesTable, figure } from './commands/bench';
import { table } from './table';

/** The models section: one Node process per model. */
export async function models(print: (text: string) => void): Promise<void> {
  const node = engineNamed('node');
  const rows: (string | number)[][] = [];
  for (const { name, bytes } of [...ownModels(), ...publicModels()]) {
    const of = subject(bytes);
    const result: EngineBench = await measureOn(node, of, {});
    if (result.error !== null) {
      rows.push([name, of.macs.total, result.error]);
      continue;
    }
    rows.push([
      name,
      of.macs.total,
      figure(result.microsecondsPerStep),
      figure(result.nanosecondsPerMac),
      figure(result.bareLoop!.nanosecondsPerMac),
      figure(result.ratio),
    ]);
  }
  print(table(['model', 'MACs', 'µs per step', 'ns per MAC', 'bare loop', 'ratio'], rows));
}

/** The engines section: three small models on every engine that is at hand. */
export async function onEngines(print: (text: string) => void): Promise<void> {
  const chosen: BenchModel[] = [
    ...ownModels(),
    ...publicModelsNamed(['hello_world_int8', 'vad', 'keyword_svdf_int8state']),
  ];
  const absent = new Map<string, string>();
  for (const { name, bytes } of chosen) {
    const report = await bench(name, bytes, engines);
    print(`${name}, ${report.macs} MACs\n${enginesTable(report.results)}`);
    for (const { title, hint } of report.absent) absent.set(title, hint);
  }
  for (const [title, hint] of absent) print(`Not on this machine: ${title}: ${hint}`);
}
