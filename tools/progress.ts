/** A progress bar on stderr, for work that takes longer than a second at a terminal. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  /** Says how much is done. */
  update(done: number): void;
  /** Removes the bar. */
  stop(): void;
}

/** Starts to watch over `total` pieces of work; a bar appears after a second, if stderr is a terminal. */
export function progress(total: number, what: string): Progress {
  const started = Date.now();
  let bar: SingleBar | null = null;
  return {
    update(done) {
      if (bar) bar.update(done);
      else if (process.stderr.isTTY && Date.now() - started > 1000) {
        bar = new SingleBar({
          format: `${what} {bar} {percentage}% | {value}/{total} | {eta_formatted}`,
          stream: process.stderr,
          clearOnComplete: true,
          hideCursor: true,
        });
        bar.start(total, done);
      }
    },
    stop() {
      bar?.stop();
      bar = null;
    },
  };
}
