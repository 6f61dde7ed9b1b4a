/** Espruino's REPL: lines that are typed, and what it answers. */
import { spawn } from 'node:child_process';

export interface Line {
  typed: string;
  /** "=…", or "Uncaught Error: …"; empty where none is shown. */
  answer: string;
}

/** Lines of a document: what follows a `>` is typed, a line after it that begins with `=` or `U` is the answer. */
export function linesOf(text: string): Line[] {
  return [...text.matchAll(/^>(.*)\n([=U].*$)?/gm)].map(([, typed, answer = '']) => ({ typed, answer }));
}

/** Without the line breaks and blanks that Espruino prints within arrays. */
export function plain(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/([[{]) | ([\]}])/g, '$1$2')
    .trim();
}

/** Without the lines that Espruino shows again behind its prompt, which it does when they reach it in pieces. */
function withoutEcho(shown: string): string {
  return shown
    .split('\n')
    .filter((line) => !line.startsWith('>'))
    .join('\n');
}

/** Types text into Espruino's REPL, and returns all that it prints before the last line's mark. */
function type(program: string, directory: string, text: string, mark: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [], { cwd: directory });
    let printed = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), 60000);
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      printed += part.replaceAll('\r', '');
      // it ends no earlier on its own than its input, and takes no other signal
      if (printed.includes(`\n${mark}\n`)) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      if (printed.includes(`\n${mark}\n`)) resolve(printed);
      else reject(new Error(`the REPL came to no end:\n${printed.slice(-2000)}`));
    });
    child.stdin.write(text);
  });
}

/**
 * What a fresh Espruino answers to each line, whose Storage is in a directory.
 * @param script typed before them
 */
export async function answersOf(
  program: string,
  directory: string,
  lines: readonly string[],
  script = '',
): Promise<string[]> {
  const mark = (i: number): string => `console.log('@' + ${i})\n`;
  const text = [script, mark(0), ...lines.map((line, i) => `${line}\n${mark(i + 1)}`)].join('');
  const printed = await type(program, directory, text, `@${lines.length}`);
  return lines.map((line, i) => {
    const start = `\n@${i}\n=undefined\n`;
    const begin = printed.indexOf(start);
    if (begin < 0) throw new Error(`no mark ${i}, before ${line}, in ${printed.slice(-1000)}`);
    return withoutEcho(printed.slice(begin + start.length, printed.indexOf(`\n@${i + 1}\n`)));
  });
}
