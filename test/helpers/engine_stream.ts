/** Streams through a model on an engine: outputs, snapshots, going on from a snapshot, reset. */
import fs from 'node:fs';
import path from 'node:path';
import type { Engine } from '../../engines/index';
import { feedSource, inputFiles } from '../../tools/engine_inputs';

const dist = path.join(__dirname, '..', '..', 'dist');

/** Text of a bundle in dist, or null when it is not built. */
export function builtBundle(name: string): string | null {
  const file = path.join(dist, name);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
}

export interface EngineStream {
  bundle: string;
  model: Uint8Array;
  /** Bytes of the inputs of each step. */
  stream: Uint8Array[];
  /** Go on from this snapshot. */
  snapshot?: Uint8Array;
  /** Then reset, and run the first steps once more. */
  again?: number;
}

export interface StreamResult {
  /** Bytes of all outputs after each step, one step after another. */
  outputs: Uint8Array;
  /** What save() gives after the last step. */
  snapshot: Uint8Array;
  /** Outputs of the steps after reset(). */
  again: Uint8Array;
}

function driver({ stream, snapshot, again = 0 }: EngineStream): string {
  return `var model = engram.load(readBytes('model'));
${feedSource(stream[0].length)}
var go = function (mark, steps) {
  for (var step = 0; step < steps; step++) {
    feed(step);
    model.invoke();
    for (var k = 0; k < model.outputs.length; k++) print(mark + listed(bytesOf(model.outputs[k])));
  }
};
${snapshot ? "model.restore(readBytes('snapshot'));" : ''}
go('o', ${stream.length});
print('s' + listed(model.save()));
${again ? 'model.reset();' : ''}
go('a', ${again});
`;
}

/** Runs a stream in a new process of the engine. */
export async function runStream(engine: Engine, request: EngineStream): Promise<StreamResult> {
  const result = await engine.run(
    {
      bundle: request.bundle,
      driver: driver(request),
      files: {
        model: request.model,
        ...inputFiles(request.stream),
        ...(request.snapshot ? { snapshot: request.snapshot } : {}),
      },
    },
    { timeoutSeconds: 300 },
  );
  if (result.error !== null) throw new Error(`${engine.title}: ${result.error}`);
  const marked = (mark: string): Uint8Array =>
    Uint8Array.from(
      result.lines
        .filter((line) => line[0] === mark)
        .flatMap((line) => line.slice(1).split(' '))
        .map(Number),
    );
  return { outputs: marked('o'), snapshot: marked('s'), again: marked('a') };
}
