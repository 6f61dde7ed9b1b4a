/**
 * State that other threads may look at while a worker steps: the variables' block is a SharedArrayBuffer, and a sequence
 * lock tells a reader whether what it copied is all of one step.
 *
 * The lock is one word: odd while a step is under way. A reader copies, and takes the copy only if the word was even and is
 * unchanged; it never holds the worker up. (Boehm, "Can seqlocks get along with programming language memory models?", 2012.)
 */
import type { Model } from '../lib/model';
import { newState, resetState, type State } from '../lib/program';
import { readReals } from '../lib/convert';
import { viewOf } from '../lib/tensor';
import type { TensorInfo } from '../lib/graph';

/** What a reading thread needs; can be posted to it. */
export interface SharedHandle {
  state: SharedArrayBuffer;
  /** Word 0: the sequence number; word 1: steps done. */
  lock: SharedArrayBuffer;
  variables: { name: string; tensor: TensorInfo; offset: number }[];
}

/** A model whose state other threads may read. */
export interface SharedModel {
  state: State;
  handle: SharedHandle;
  /** As `model.invoke`, under the lock. */
  invoke(): void;
  /** As `model.step`, under the lock. */
  step: Model['step'];
  /** As `model.reset`, under the lock. */
  reset(): void;
}

/** Moves a model onto a state in shared memory. From then on use the methods given here to change it. */
export function shareState(model: Model): SharedModel {
  const { program } = model;
  const buffer = new SharedArrayBuffer(program.stateBytes);
  const lock = new SharedArrayBuffer(8);
  const words = new Int32Array(lock);
  const state = newState(program, buffer as unknown as ArrayBuffer);
  resetState(program, state);
  model.state = state;
  function locked<T>(work: () => T): T {
    Atomics.add(words, 0, 1);
    try {
      return work();
    } finally {
      Atomics.store(words, 1, state.steps);
      Atomics.add(words, 0, 1);
      Atomics.notify(words, 0);
    }
  }
  return {
    state,
    handle: {
      state: buffer,
      lock,
      variables: program.variables.map(({ name, tensor }, i) => {
        const { type, shape, scale, zeroPoint, length } = tensor;
        return {
          name,
          tensor: { name, type, shape, scale, zeroPoint, length },
          offset: program.stateViews[i].offset,
        };
      }),
    },
    invoke: () => locked(() => model.invoke()),
    step: (...inputs) => locked(() => model.step(...inputs)),
    reset: () => locked(() => model.reset()),
  };
}

/** A consistent look at a state. */
export interface SharedReading {
  /** Steps done when it was taken. */
  steps: number;
  /** Real values by variable. */
  variables: Record<string, Float32Array>;
}

/**
 * Copies a state that another thread works on, whole. Waits while a step is under way.
 * @param milliseconds how long to try before giving up
 * @throws Error when the worker left no pause between its steps that is long enough for a copy
 */
export function readShared(handle: SharedHandle, milliseconds = 1000): SharedReading {
  const words = new Int32Array(handle.lock);
  const shared = new Uint8Array(handle.state);
  const copy = new Uint8Array(shared.length);
  const until = Date.now() + milliseconds;
  do {
    const before = Atomics.load(words, 0);
    if (before & 1) {
      Atomics.wait(words, 0, before, 1);
      continue;
    }
    copy.set(shared);
    const steps = Atomics.load(words, 1);
    if (Atomics.load(words, 0) !== before) continue;
    const variables: Record<string, Float32Array> = {};
    for (const { name, tensor, offset } of handle.variables) {
      const view = viewOf(tensor.type, copy.buffer, offset, tensor.length);
      variables[name] = readReals(tensor, view, new Float32Array(tensor.length));
    }
    return { steps, variables };
  } while (Date.now() < until);
  throw new Error(
    `no pause between steps was long enough in ${milliseconds} ms: let the worker rest now and then`,
  );
}
