/** The two-slot store and snapshots: no power cut, at any byte or call, loses or mixes a state. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Backend, memoryBackend, openStore } from '../variables/store';

class PowerCut extends Error {}

/**
 * A backend like flash: `write` deletes, then writes byte by byte, and loses power after `budget` actions. What is cut
 * leaves nothing, a part, or a part with the rest of what was there before.
 */
class Flash implements Backend {
  slots: (Uint8Array | null)[] = [null, null];
  budget = Infinity;
  /** How a torn slot looks: its beginning only, or at full length with erased or with old bytes behind. */
  tear: 'short' | 'erased' | 'old' = 'short';

  private spend(): void {
    if (this.budget-- <= 0) throw new PowerCut('power cut');
  }

  read(slot: number): Uint8Array | null {
    return this.slots[slot];
  }

  write(slot: number, bytes: Uint8Array): void {
    const old = this.slots[slot];
    this.spend();
    this.slots[slot] = null;
    this.spend();
    for (let i = 0; i < bytes.length; i++) {
      const torn = this.tear === 'short' ? new Uint8Array(i) : new Uint8Array(bytes.length).fill(255);
      if (this.tear === 'old' && old) torn.set(old.subarray(0, bytes.length));
      torn.set(bytes.subarray(0, i));
      this.slots[slot] = torn;
      this.spend();
    }
    this.slots[slot] = bytes.slice();
  }
}

function content(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 37 + i * 11) & 255);
}

describe('store', function () {
  this.timeout(120000);

  it('gives back what was put last, over many rounds and reopenings', () => {
    const backend = memoryBackend();
    assert.equal(openStore(backend).get(), null);
    for (let i = 0; i < 10; i++) {
      const store = openStore(backend);
      store.put(content(i, 20 + i));
      assert.deepEqual(store.get(), content(i, 20 + i));
      assert.deepEqual(openStore(backend).get(), content(i, 20 + i));
      assert.equal(openStore(backend).sequence, i + 1);
    }
  });

  it('survives a cut at every point of put: the old or the new snapshot, whole', () => {
    let cuts = 0;
    for (const tear of ['short', 'erased', 'old'] as const) {
      for (const before of [0, 1, 2, 3]) {
        for (let budget = 0; ; budget++) {
          const flash = new Flash();
          flash.tear = tear;
          for (let i = 1; i <= before; i++) openStore(flash).put(content(i, 40));
          flash.budget = budget;
          let done = true;
          try {
            openStore(flash).put(content(99, 40));
          } catch (error) {
            assert.ok(error instanceof PowerCut);
            done = false;
          }
          flash.budget = Infinity;
          const found = openStore(flash).get();
          const old = before ? content(before, 40) : null;
          if (done) assert.deepEqual(found, content(99, 40));
          else {
            cuts++;
            assert.ok(
              found === null
                ? old === null
                : [old, content(99, 40)].some((one) => one && Buffer.compare(one, found) === 0),
              `cut after ${budget} actions`,
            );
            // and it can be written again
            openStore(flash).put(content(7, 33));
            assert.deepEqual(openStore(flash).get(), content(7, 33));
          }
          if (done) break;
        }
      }
    }
    assert.ok(cuts > 500, `${cuts} cuts`);
  });

  it('survives 100,000 random sequences of cuts', () => {
    const step = fc.record({
      budget: fc.oneof(fc.constant(1000), fc.nat(60)),
      length: fc.integer({ min: 0, max: 30 }),
      tear: fc.constantFrom('short', 'erased', 'old'),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
        const flash = new Flash();
        let last: Uint8Array | null = null;
        steps.forEach(({ budget, length, tear }, index) => {
          flash.tear = tear as Flash['tear'];
          flash.budget = budget;
          const next = content(index + 1, length);
          try {
            openStore(flash).put(next);
            last = next;
          } catch (error) {
            if (!(error instanceof PowerCut)) throw error;
          }
          flash.budget = Infinity;
          const found = openStore(flash).get();
          const isNext = found && Buffer.compare(found, next) === 0;
          if (isNext) last = next;
          else assert.deepEqual(found, last);
        });
      }),
      { numRuns: 100000 },
    );
  });

  it('goes on when the sequence number wraps around', () => {
    const backend = memoryBackend();
    const store = openStore(backend);
    store.put(content(1, 8));
    store.sequence = 0x7ffffffe;
    for (let i = 2; i < 8; i++) {
      store.put(content(i, 8));
      assert.deepEqual(openStore(backend).get(), content(i, 8), `after ${i}`);
    }
  });
});
