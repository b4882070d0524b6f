/** The bridge between commander and the commands: runs a handler, keeps its result, knows nothing of any command. */
import type { Command } from 'commander';
import type { CommandContext, CommandResult } from './command.ts';
import type { Progress } from './progress.ts';
import type { GlobalOptions } from './settings.ts';

/** What a handler gets. */
export interface Invocation<O> {
  /** Positional arguments in order; optional ones that were not given are undefined. */
  readonly args: readonly (string | undefined)[];
  readonly options: O & GlobalOptions;
  readonly context: CommandContext;
}

/** Runs a command. */
export type Handler<O> = (invocation: Invocation<O>) => Promise<CommandResult>;

/** Adds commands to a program and keeps the result of the one that ran. */
export class Runner {
  readonly #context: CommandContext;
  readonly #working: Progress['working'];
  #result: CommandResult | undefined;

  /** @param working - is told what runs; nobody when left out */
  constructor(context: CommandContext, working: Progress['working'] = () => undefined) {
    this.#context = context;
    this.#working = working;
  }

  /** The result of the command that ran; undefined when none did. */
  get result(): CommandResult | undefined {
    return this.#result;
  }

  /** Gives a command its handler. @param load - imports the handler when the command is called, and not before */
  handle<O>(command: Command, load: () => Promise<Handler<O>>): Command {
    return this.#give(command, load, () => wordsOf(command).join(' '));
  }

  /** The same for a command that runs until it is stopped: nobody waits for it, so nobody is told that it is still at it. */
  serve<O>(command: Command, load: () => Promise<Handler<O>>): Command {
    return this.#give(command, load, () => null);
  }

  #give<O>(command: Command, load: () => Promise<Handler<O>>, name: () => string | null): Command {
    return command.action(async () => {
      this.#working(name());
      const handler = await load();
      const options = command.optsWithGlobals<O & GlobalOptions>();
      this.#result = await handler({ args: command.processedArgs, options, context: this.#context });
    });
  }
}

/** The words that call a command, without the program's name. */
export function wordsOf(command: Command): string[] {
  return command.parent === null ? [] : [...wordsOf(command.parent), command.name()];
}

/** Collects a repeatable option into a list. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
