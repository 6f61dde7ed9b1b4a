/** Which of Espruino's own kernels take the place of portable ones, and what becomes of their arguments. */
import type { TypedArray } from '../../lib/graph';
import type { Step } from '../../lib/program';
import { addInt8, mulInt8 } from './espruino_elementwise';
import { convFloat32, depthwiseConvFloat32, fullyConnectedFloat32 } from './espruino_float';
import { correlateHybrid, quantizeRows } from './espruino_hybrid';
import { convolution, depthwise, fullyConnected } from './espruino_places';
import { lstmFloat32, lstmInt8 } from './espruino_lstm';
import { batchMatmulFloat32, batchMatmulInt8 } from './espruino_matmul';
import { averagePool, maxPool } from './espruino_pooling';
import { svdfFloat32, svdfInt8 } from './espruino_recurrent';
import type { KernelName } from './kernels';
import { lookup, type Accelerator, type Replacement } from './replacement';

const ACCELERATORS: Record<string, Accelerator> = {
  'ops/fully_connected fullyConnectedInt8': fullyConnected,
  'ops/fully_connected fullyConnectedFloat32': fullyConnectedFloat32,
  'ops/hybrid quantizeRows': quantizeRows,
  'ops/hybrid correlateHybrid': correlateHybrid,
  'ops/conv convFloat32': convFloat32,
  'ops/depthwise_conv depthwiseConvFloat32': depthwiseConvFloat32,
  'ops/conv convInt8': convolution,
  'ops/depthwise_conv depthwiseConvInt8': depthwise,
  'ops/batch_matmul batchMatmulFloat32': batchMatmulFloat32,
  'ops/batch_matmul batchMatmulInt8': batchMatmulInt8,
  'ops/pooling averagePool': averagePool,
  'ops/pooling maxPool': maxPool,
  'ops/lstm_integer lstmInt8': lstmInt8,
  'ops/lstm_float lstmFloat32': lstmFloat32,
  'ops/svdf svdfInt8': svdfInt8,
  'ops/svdf svdfFloat32': svdfFloat32,
  'ops/lookup lookup': (args) => lookup(...(args.slice(0, 3) as [TypedArray, TypedArray, TypedArray])),
  'ops/arithmetic addQuantized': addInt8,
  'ops/arithmetic mulQuantized': mulInt8,
};

/** Rows of matrices that may have a view each: about two variables a row. */
const MOST_ROWS = 150;
/** Rows to a view beyond that. More take less memory, and longer walks to their starts. */
const TOGETHER = 16;

/** How many rows share a view in a program. */
export function rowsTogether(steps: { kernel: KernelName; step: Step }[]): number {
  let rows = 0;
  for (const { kernel, step } of steps) {
    if (kernel.name === 'fullyConnectedInt8') rows += step.args[8] as number;
    if (kernel.name === 'correlateHybrid') rows += step.args[13] as number;
    if (kernel.name === 'batchMatmulInt8') rows += step.args[8] as number;
    if (kernel.name === 'convInt8') rows += step.args[12] as number;
  }
  return rows > MOST_ROWS ? TOGETHER : 1;
}

/** The replacement for a step, or null where the portable kernel is best. */
export function acceleration(
  kernel: KernelName,
  step: Step,
  isConstant: (array: TypedArray) => boolean,
  together: number,
): Replacement | null {
  return ACCELERATORS[`${kernel.module} ${kernel.name}`]?.(step.args, isConstant, together) ?? null;
}
