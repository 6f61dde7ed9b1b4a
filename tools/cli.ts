#!/usr/bin/env node
/** The `engram` command. Each subcommand is a file in commands/. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from './bundle';
import { benchCommand } from './commands/bench';
import { bundleCommand } from './commands/bundle';
import { importCommand } from './commands/import';
import { inspectCommand } from './commands/inspect';
import { packCommand } from './commands/pack';
import { quantizeCommand } from './commands/quantize';
import { runCommand } from './commands/run';
import { simulateCommand } from './commands/simulate';
import { statifyCommand, stripCommand, unstatifyCommand } from './commands/statify';
import { traceCommand } from './commands/trace';
import { uploadCommand } from './commands/upload';
import { verifyCommand } from './commands/verify';
import { warmupCommand } from './commands/warmup';

function program(): Command {
  const { version } = JSON.parse(fs.readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string;
  };
  const engram = new Command('engram')
    .description('TensorFlow Lite models that remember, for JavaScript engines on chips.')
    .version(version)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  for (const command of [
    inspectCommand(),
    runCommand(),
    benchCommand(),
    verifyCommand(),
    statifyCommand(),
    unstatifyCommand(),
    stripCommand(),
    traceCommand(),
    warmupCommand(),
    bundleCommand(),
    importCommand(),
    packCommand(),
    uploadCommand(),
    quantizeCommand(),
    simulateCommand(),
  ]) {
    engram.addCommand(command.exitOverride().configureOutput({ outputError: () => undefined }));
  }
  return engram;
}

/** Runs the command line; errors become one line on stderr and exit status 2. */
export async function main(argv: string[]): Promise<void> {
  const engram = program();
  try {
    await engram.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return;
      // without a command, commander prints the help itself
      if (error.code === 'commander.help') {
        process.exitCode = 2;
        return;
      }
    }
    const message = (error as Error).message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    process.stderr.write(`engram: ${message}\n`);
    process.exitCode = 2;
  }
}

if (require.main === module) void main(process.argv);
