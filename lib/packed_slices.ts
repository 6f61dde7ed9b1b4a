/** Slices of packed models: start, resume, abandon, as in lib/model.ts. Programs then consist of a function a step. */
import { PackedModel } from './packed';

declare module './packed' {
  interface PackedModel {
    /** Position of a step under way, −1 when there is none. */
    position: number;
    start(): void;
    resume(budget: number): boolean;
    abandon(): void;
  }
}

/** Gives packed models `start`, `resume` and `abandon`. */
export function enableSlices(): void {
  const model = PackedModel.prototype;
  const reset = model.reset;
  const invoke = model.invoke;
  model.position = -1;
  function idle(model: PackedModel): void {
    if (model.position >= 0)
      throw new Error('a step is under way: let resume() finish it, or call abandon() first');
  }
  model.invoke = function (state): void {
    idle(this);
    invoke.call(this, state);
  };
  model.start = function (): void {
    idle(this);
    if (this.program.check) this.program.check();
    this.position = 0;
  };
  model.resume = function (budget: number): boolean {
    const program = this.program;
    if (this.position < 0) throw new Error('no step is under way: call start() first');
    const position = this.position;
    this.position = -1;
    const next = program.slice!(position, budget);
    if (next !== program.end) {
      this.position = next;
      return false;
    }
    program.state.steps++;
    return true;
  };
  model.abandon = function (): void {
    this.position = -1;
  };
  model.reset = function (): void {
    this.position = -1;
    reset.call(this);
  };
}
