/** Which of Espruino's own kernels take the place of portable ones, and what becomes of their arguments. */
import type { TypedArray } from '../../lib/graph';
import type { Step } from '../../lib/program';
import type { KernelName } from './kernels';

/** A kernel to call instead. */
export interface Replacement {
  kernel: KernelName;
  /** Further functions that the argument texts use. */
  imports: KernelName[];
  /** Text of each argument; a function gets the text that names the view or constant. */
  args: (string | number | TypedArray | { of: TypedArray; text: (name: string) => string; before: number })[];
}

/** The replacement for a step, or null where the portable kernel is best. */
export function acceleration(kernel: KernelName, step: Step): Replacement | null {
  void kernel;
  void step;
  return null;
}
