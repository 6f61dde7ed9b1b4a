/**
 * A line to a board through the `espruino` package, which knows serial ports, Bluetooth and sockets. Only its connection
 * is used: it sends text beyond ASCII as UTF-8, which would spoil weights, and waits after each write for a fixed time
 * instead of for the board's answer.
 */

/** What is used of the package's global. */
interface Tools {
  Config: Record<string, unknown>;
  Core: {
    Serial: {
      startListening(listener: (data: ArrayBuffer) => void): unknown;
      getPorts(callback: (ports: { path: string; unimportant?: boolean }[], again: boolean) => void): void;
      open(port: string, connected: (info: unknown) => void, disconnected: () => void): void;
      write(text: string, showStatus: boolean): void;
      close(): void;
      setSlowWrite(on: boolean, force: boolean): void;
      setBinary(on: boolean): void;
    };
    Utils: { addRecognisedDeviceAddress(address: string): void; addRecognisedDeviceName(name: string): void };
  };
}

/** An open line. */
export interface Line {
  /** Where the board is. */
  port: string;
  send(text: string): void;
  /** Called with what comes from the board; each character is a byte. */
  onText: (text: string) => void;
  /** Called once when the connection ends without `close`. */
  onCut: () => void;
  close(): Promise<void>;
}

/** How long a connection may take to open, in milliseconds: Bluetooth has to find the board first. */
const OPEN_TIMEOUT = 20000;

const CONSOLE = ['log', 'info', 'warn', 'error'] as const;

let quietLog: typeof console.log | null = null;

/** Keeps the package's reports off the terminal; they are there to be quoted in errors. */
function listenToConsole(): { errors: string[]; restore(): void; onError: (text: string) => void } {
  const original = CONSOLE.map((name) => console[name]);
  const heard = { errors: [] as string[], restore, onError: (text: string) => void text };
  for (const name of CONSOLE) {
    console[name] = (...parts: unknown[]) => {
      if (name !== 'error') return;
      const text = parts.join(' ');
      heard.errors.push(text);
      heard.onError(text);
    };
  }
  function restore(): void {
    CONSOLE.forEach((name, i) => (console[name] = original[i]));
    // after a cut it goes on for a while with what it had to send, and reports that
    const log = original[0];
    if (log === quietLog) return;
    quietLog = (...parts: unknown[]) => {
      if (parts[0] !== 'serial:') log(...parts);
    };
    console.log = quietLog;
  }
  return heard;
}

/** Loads the package. @throws Error that says how to install it */
function loadPackage(): { init(callback: () => void): void } {
  try {
    return require('espruino') as { init(callback: () => void): void };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new Error('upload needs the package "espruino", which is not installed: npm install espruino', {
      cause: error,
    });
  }
}

let initialised: Promise<Tools> | null = null;

function tools(): Promise<Tools> {
  initialised ??= new Promise((resolve) => {
    loadPackage().init(() => resolve((globalThis as unknown as { Espruino: Tools }).Espruino));
  });
  return initialised;
}

/** What went wrong, from the package's own reports. */
function reason(errors: string[]): string {
  const text = errors.join('; ');
  const code = /"code":"(\w+)"/.exec(text)?.[1];
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND') return 'there is no such host';
  if (/not found/.test(text)) return 'there is no such port';
  return code ?? (text || 'no answer');
}

async function firstPort(espruino: Tools): Promise<string> {
  const ports = await new Promise<{ path: string; unimportant?: boolean }[]>((resolve) =>
    espruino.Core.Serial.getPorts((found) => resolve(found)),
  );
  const found = ports.find((port) => !port.unimportant);
  if (!found)
    throw new Error(
      'no board was found: connect one, or say where it is with --port (/dev/ttyACM0, COM3, a Bluetooth address, tcp://HOST:PORT)',
    );
  return found.path;
}

/**
 * Opens a line to a board.
 * @param given where: a serial port, a Bluetooth address or name, tcp://HOST:PORT; undefined: the first board found
 * @throws Error when the package is missing, there is no such port, or nothing answers there
 */
export async function openLine(given: string | undefined): Promise<Line> {
  if (given?.startsWith('tcp:') && !/^tcp:\/\/[^:/]+(:\d+)?$/.test(given))
    throw new Error(`the port "${given}" must look like tcp://127.0.0.1:2323`);
  const heard = listenToConsole();
  try {
    const espruino = await tools();
    const { Serial, Utils } = espruino.Core;
    const wired = given !== undefined && /^(tcp:|\/|COM\d+$)/i.test(given);
    Object.assign(espruino.Config, {
      ENV_ON_CONNECT: false,
      BAUD_RATE: espruino.Config.BAUD_RATE ?? 9600,
      SERIAL_TCPIP: given?.startsWith('tcp:') ? [given] : [],
    });
    // starting Bluetooth takes seconds, and rights that not everyone has
    if (wired)
      Object.assign(espruino.Config, { BLUETOOTH_LOW_ENERGY: false, BLUETOOTH_LOW_ENERGY_DBUS: false });
    else if (given !== undefined) {
      if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(given)) Utils.addRecognisedDeviceAddress(given);
      else Utils.addRecognisedDeviceName(given);
    }
    const port = given ?? (await firstPort(espruino));
    return await new Promise<Line>((resolve, reject) => {
      let state: 'opening' | 'open' | 'ended' = 'opening';
      let closed = (): void => undefined;
      const line: Line = {
        port,
        send: (text) => Serial.write(text, false),
        onText: () => undefined,
        onCut: () => undefined,
        close: () =>
          new Promise((done) => {
            const finish = (): void => {
              clearTimeout(timer);
              heard.restore();
              done();
            };
            // some ports do not tell that they are closed
            const timer = setTimeout(finish, 500);
            closed = finish;
            if (state === 'ended') return finish();
            state = 'ended';
            Serial.close();
          }),
      };
      const fail = (why: string): void => {
        if (state !== 'opening') return;
        state = 'ended';
        clearTimeout(timer);
        reject(new Error(`no connection to ${port}: ${why}`));
      };
      const timer = setTimeout(() => fail(reason(heard.errors)), OPEN_TIMEOUT);
      const cut = (): void => {
        if (state === 'opening') return fail(reason(heard.errors));
        if (state === 'ended') return closed();
        state = 'ended';
        line.onCut();
      };
      // sockets report a failure here, and nowhere else
      heard.onError = (text) => {
        if (/^RECEIVE ERROR/.test(text)) cut();
      };
      Serial.startListening((data) => line.onText(Buffer.from(data).toString('latin1')));
      Serial.open(
        port,
        (info) => {
          if (!info) return fail(reason(heard.errors));
          if (state !== 'opening') return;
          state = 'open';
          clearTimeout(timer);
          Serial.setSlowWrite(false, true);
          Serial.setBinary(true);
          resolve(line);
        },
        cut,
      );
    });
  } catch (error) {
    heard.restore();
    throw error;
  }
}
