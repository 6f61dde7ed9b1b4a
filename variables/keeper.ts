/**
 * When to store a state: after so many steps, after so much time, when the device is about to restart, or when asked.
 * Flash wears out (about 10,000 erases of a page), so the policy decides how long a board lives; see docs/state.md.
 */
import { Model } from '../lib/model';
import { Store } from './store';

/** How often to store; leave a field out, and that reason never applies. */
export interface KeeperPolicy {
  /** Store after every so many steps. */
  steps?: number;
  /** Store when so many seconds have gone by since the last time, at the next step. */
  seconds?: number;
  /** The clock, in seconds; default `Date.now() / 1000`. */
  now?: () => number;
}

/** Keeps a model's state in a store. Made by `keep`. */
export interface Keeper {
  /** Call after each step: stores the state if it is time. Returns whether it did. */
  tick(): boolean;
  /** Stores the state now. For Espruino: `E.on('kill', keeper.save)`. */
  save(): void;
  /** Goes on from the stored state; false when there is none. Throws, as `restore` does, if it does not fit the model. */
  load(): boolean;
}

/** Ties a model to a store. Saving allocates nothing after the first time. */
export function keep(model: Model, store: Store, policy: KeeperPolicy): Keeper {
  const now =
    policy.now ||
    function (): number {
      return Date.now() / 1000;
    };
  let buffer: Uint8Array | null = null;
  let count = 0;
  let last = now();
  const keeper: Keeper = {
    tick: function (): boolean {
      count++;
      const due =
        (policy.steps && count >= policy.steps) || (policy.seconds && now() - last >= policy.seconds);
      if (due) keeper.save();
      return !!due;
    },
    save: function (): void {
      buffer = buffer ? model.save(buffer) : model.save();
      store.put(buffer);
      count = 0;
      last = now();
    },
    load: function (): boolean {
      const snapshot = store.get();
      if (!snapshot) return false;
      model.restore(snapshot);
      return true;
    },
  };
  return keeper;
}
