/** An Espruino for Linux with a console on a socket, and a line to it that goes wrong on purpose. */
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

/** Where Espruino for Linux listens; it cannot be told another port. */
export const CONSOLE_PORT = 2323;

/** Whether something listens on a port of this computer. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.createConnection(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Whether the port of the console is free, if need be after a while: it may belong to a program that is about to end. */
export async function freePort(): Promise<boolean> {
  for (let i = 0; i < 20 && (await listens(CONSOLE_PORT)); i++)
    await new Promise((resolve) => setTimeout(resolve, 1000));
  return !(await listens(CONSOLE_PORT));
}

export interface RunningBoard {
  /** What it printed on its own terminal. */
  output(): string;
  /** Switches it off. Its Storage stays in the directory. */
  stop(): Promise<void>;
}

/** Starts Espruino with its console on the socket, and Storage in `directory`. */
export async function startBoard(program: string, directory: string): Promise<RunningBoard> {
  // its input must stay open; SIGTERM does not end it
  const child: ChildProcess = spawn(program, ['--telnet'], {
    cwd: directory,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout!.on('data', (data: Buffer) => (output += data.toString('latin1')));
  child.stderr!.on('data', (data: Buffer) => (output += data.toString('latin1')));
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  for (let i = 0; !(await listens(CONSOLE_PORT)); i++) {
    if (i > 100 || child.exitCode !== null) {
      child.kill('SIGKILL');
      throw new Error(`Espruino does not listen: ${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    output: () => output,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** A person at Espruino's console. */
export interface Console {
  /** Types a line; what is printed until the next prompt. */
  type(line: string): Promise<string>;
  close(): Promise<void>;
}

/** Sits down at the console of an Espruino of its own, with Storage in `directory`. */
export async function openConsole(program: string, directory: string): Promise<Console> {
  const child = spawn(program, [], { cwd: directory, stdio: ['pipe', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (data: Buffer) => (text += data.toString('latin1')));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const answer = async (): Promise<string> => {
    for (const end = Date.now() + 30000; !/(^|\n)>$/.test(text);) {
      if (Date.now() > end || child.exitCode !== null) throw new Error(`no prompt after: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const printed = text.slice(0, -1).replaceAll('\r', '');
    // the first line is an echo
    return printed.slice(printed.indexOf('\n') + 1).trimEnd();
  };
  await answer();
  return {
    type(line) {
      text = '';
      child.stdin.write(`${line}\n`);
      return answer();
    },
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What happens to the bytes on their way to the board. */
export interface Fault {
  /** The connection is cut when this many have passed. */
  cutAfter?: number;
  /** Text that is put in the place of what matches. */
  replace?: [RegExp, (match: string) => string];
  /** How many matches pass unchanged before; default none. */
  skip?: number;
  /** How many are replaced; default one. */
  times?: number;
}

/** A socket in front of the board's. */
export async function faultyLine(fault: Fault): Promise<{ port: number; close(): void }> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((near) => {
    const far = net.createConnection(CONSOLE_PORT, '127.0.0.1');
    sockets.push(near, far);
    let passed = 0;
    const { replace, skip = 0, times = 1 } = fault;
    let matches = 0;
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    near.on('data', (data: Buffer) => {
      let text = data.toString('latin1');
      if (replace && replace[0].test(text) && ++matches > skip && matches <= skip + times)
        text = text.replace(...replace);
      const left = (fault.cutAfter ?? Infinity) - passed;
      passed += text.length;
      far.write(Buffer.from(text.slice(0, left), 'latin1'));
      if (text.length > left) end();
    });
    far.on('data', (data: Buffer) => near.write(data));
    for (const socket of [near, far]) {
      socket.on('close', end);
      socket.on('error', end);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    close() {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
}

/** Runs `engram` from its sources in a directory. */
export function engram(
  args: string[],
  directory: string,
  preload: string[] = [],
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const cli = path.join(__dirname, '..', '..', 'tools', 'cli.ts');
  const required = [require.resolve('tsx/cjs'), ...preload].flatMap((file) => ['--require', file]);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...required, cli, ...args], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 100000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Writes text files into a directory. */
export function writeFiles(directory: string, files: Record<string, string | Uint8Array>): void {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), content);
  }
}
