/** Slices of packed models: start, resume, abandon, as in lib/model.ts. Programs then consist of a function a step. */
import { PackedModel } from './packed';
import { State } from './program';

declare module './packed' {
  interface PackedModel {
    /** Position of a step under way, −1 when there is none. */
    position: number;
    start(state?: State): void;
    resume(budget: number): boolean;
    abandon(): void;
  }
}

/**
 * Gives a packed model `start`, `resume` and `abandon`.
 * @param slice goes on from a position for a number of steps, and says where it stopped
 * @param end the position of a step that is done
 */
export function enableSlices(
  model: PackedModel,
  slice: (position: number, budget: number) => number,
  end: number,
): void {
  const reset = model.reset;
  const invoke = model.invoke;
  const run = model.run;
  let at = 0;
  let most = 0;
  model.position = -1;
  function idle(): void {
    if (model.position >= 0)
      throw new Error('a step is under way: let resume() finish it, or call abandon() first');
  }
  function piece(): void {
    if (at !== end) at = slice(at, most);
  }
  /** All that invoke checks, and a piece of a step. */
  function go(budget: number, state?: State): void {
    most = budget;
    model.run = piece;
    try {
      invoke.call(model, state);
    } finally {
      model.run = run;
    }
    if (at !== end) model.state.steps--;
  }
  model.invoke = function (state): void {
    idle();
    invoke.call(model, state);
  };
  model.start = function (state): void {
    idle();
    at = 0;
    go(0, state);
    model.position = 0;
  };
  model.resume = function (budget: number): boolean {
    if (model.position < 0) throw new Error('no step is under way: call start() first');
    if (model.state !== model.current)
      throw new Error(
        'a step is under way on another state: let resume() finish it, or call abandon() first',
      );
    model.position = -1;
    go(budget);
    if (at === end) return true;
    model.position = at;
    return false;
  };
  model.abandon = function (): void {
    model.position = -1;
  };
  model.reset = function (): void {
    model.position = -1;
    reset.call(model);
  };
}
