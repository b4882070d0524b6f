/** `stun`: parses, runs one command, prints its result once, and ends with the exit code of the registry. */
import { CommanderError } from 'commander';
import { StunError } from '#protocol/errors/stun-error.ts';
import { outliveReaders } from './closed-pipe.ts';
import { printError, printResult } from './output.ts';
import { buildProgram, withDescendants } from './program.ts';
import { progressContext } from './progress.ts';
import { Runner } from './runner.ts';
import { stoppingSignal } from './stopping.ts';

/** Runs the command line. @returns the exit code */
async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  const { context, working, stop } = progressContext(stoppingSignal());
  const runner = new Runner(context, working);
  let help = '';
  const program = buildProgram(runner);
  for (const command of withDescendants(program)) {
    command.configureOutput({ writeOut: (text) => void (help += text), writeErr: () => undefined });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    const { result } = runner;
    if (result === undefined) throw new StunError('STUN_INPUT', 'a command was expected; stun --help lists them');
    return await printResult(result, json);
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return await printError(thrown, json);
    // Help and version are answers, not errors.
    if (thrown.exitCode === 0) return await printResult({ document: { help }, text: help.trimEnd(), exitCode: 0 }, json);
    if (thrown.code === 'commander.help') {
      return await printError(new StunError('STUN_INPUT', 'a command was expected; add --help to list them'), json);
    }
    const reason = thrown.message.replace(/^error: /, '').replaceAll('\n', ' ');
    return await printError(new StunError('STUN_INPUT', reason), json);
  } finally {
    stop();
  }
}

outliveReaders();
process.exitCode = await main(process.argv.slice(2));
