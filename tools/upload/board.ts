/** A conversation with a board's console: one expression at a time, each with its answer. */
import { openLine, type Line } from './serial';

/** What a board says of itself. */
export interface BoardFacts {
  board: string;
  version: string;
  /** Names of modules in the firmware. */
  builtins: string[];
  /** Free variables, and bytes of one. */
  free: number;
  blocksize: number;
  /** Whether it has E.CRC32. */
  crc32: boolean;
}

interface Waiting {
  mark: string;
  resolve(value: unknown): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

/** The end of what a board printed, for an error. */
function lastOf(text: string): string {
  // eslint-disable-next-line no-control-regex -- what terminals take for commands is no part of the text
  const printable = text.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '').replace(/[^ -~]+/g, ' ');
  return printable.trim().slice(-160);
}

export class Board {
  facts!: BoardFacts;
  private heard = '';
  private asked = 0;
  private waiting: Waiting | null = null;
  private cut = false;

  private constructor(private readonly line: Line) {
    line.onText = (text) => this.receive(text);
    line.onCut = () => {
      this.cut = true;
      this.end(new Error(`the connection to ${line.port} was cut`));
    };
  }

  get port(): string {
    return this.line.port;
  }

  /**
   * Connects, and waits until the console answers. A program that keeps it busy is interrupted.
   * @throws Error when there is no connection, or no Espruino at its other end
   */
  static async connect(port: string | undefined): Promise<Board> {
    const board = new Board(await openLine(port));
    try {
      await board.wake();
      const [name, version, builtins, crc32] = (await board.ask(
        '[process.env.BOARD,process.env.VERSION,process.env.MODULES,!!E.CRC32]',
      )) as [string, string, string, boolean];
      board.facts = {
        board: name,
        version,
        builtins: `${builtins}`.split(','),
        crc32,
        ...(await board.memory()),
      };
    } catch (error) {
      await board.close();
      throw error;
    }
    return board;
  }

  private async memory(): Promise<{ free: number; blocksize: number }> {
    const [free, blocksize] = (await this.ask(
      '(function(m){return[m.free,m.blocksize]})(process.memory())',
    )) as [number, number];
    return { free, blocksize };
  }

  /** Waits until the console answers; what is in its line from a connection that was cut is thrown away. */
  private async wake(): Promise<void> {
    for (const patience of [1500, 3000, 6000]) {
      try {
        await this.ask('1', patience);
        return;
      } catch (error) {
        if (this.cut) throw error;
        this.line.send('\x03');
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
    }
    throw new Error(
      `${this.line.port} does not answer like an Espruino${this.heard ? `; it sent "${lastOf(this.heard)}"` : ''}`,
    );
  }

  private receive(text: string): void {
    this.heard += text;
    const waiting = this.waiting;
    if (waiting) {
      const start = this.heard.indexOf(waiting.mark);
      const end = start < 0 ? -1 : this.heard.indexOf('#>', start);
      if (end >= 0) {
        const answer = this.heard.slice(start + waiting.mark.length, end);
        this.heard = this.heard.slice(end + 2);
        this.settle();
        if (answer[0] === '!') waiting.reject(new Error(lastOf(answer.slice(1)).replace(/^Error: /, '')));
        else {
          try {
            waiting.resolve(JSON.parse(answer.slice(1)));
          } catch {
            waiting.reject(new Error(`the board's answer cannot be understood: ${lastOf(answer)}`));
          }
        }
      }
    }
    if (this.heard.length > 100000) this.heard = this.heard.slice(-50000);
  }

  private settle(): void {
    if (this.waiting) clearTimeout(this.waiting.timer);
    this.waiting = null;
  }

  private end(error: Error): void {
    const waiting = this.waiting;
    this.settle();
    waiting?.reject(error);
  }

  /**
   * The value of an expression, which must be what JSON can hold.
   * @param timeout milliseconds
   * @throws Error with what the expression threw; when the connection is cut; when no answer comes in time
   */
  ask(expression: string, timeout = 15000): Promise<unknown> {
    if (this.cut) return Promise.reject(new Error(`the connection to ${this.line.port} was cut`));
    if (this.waiting) return Promise.reject(new Error('the board has not answered the last question yet'));
    const id = ++this.asked;
    this.heard = this.heard.slice(-200);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const said = lastOf(this.heard);
        this.end(
          new Error(
            `no answer from the board within ${timeout / 1000} s${said ? `; it printed "${said}"` : ''}`,
          ),
        );
      }, timeout);
      this.waiting = { mark: `<#${id}`, resolve, reject, timer };
      // the mark is put together on the board: an echo of this line is no answer
      this.line.send(
        `\x10try{print("<#"+"${id}="+JSON.stringify(${expression})+"#>")}catch(e){print("<#"+"${id}!"+e+"#>")}\n`,
      );
    });
  }

  /** Takes everything away that runs on the board, until it is started again. */
  async reset(): Promise<void> {
    this.line.send('\x10reset();\n');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await this.wake();
    Object.assign(this.facts, await this.memory());
  }

  /** Starts what the board runs when it is switched on; the text that it printed meanwhile. */
  async start(): Promise<string> {
    let printed = '';
    const before = this.line.onText;
    this.line.onText = (text) => {
      printed += text;
      before(text);
    };
    this.line.send('\x10load();\n');
    await new Promise((resolve) => setTimeout(resolve, 500));
    // a program may keep the console busy or take it away, and some boards end the connection: none of that is wrong
    await this.ask('1', 3000).catch(() => undefined);
    this.line.onText = before;
    return printed;
  }

  close(): Promise<void> {
    this.end(new Error('the connection was closed'));
    return this.line.close();
  }
}
