/** The bridge between commander and the commands: runs a handler, keeps its result, knows nothing of any command. */
import type { Command } from 'commander';
import type { CommandContext, CommandResult } from './command.ts';
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
  #result: CommandResult | undefined;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** The result of the command that ran; undefined when none did. */
  get result(): CommandResult | undefined {
    return this.#result;
  }

  /** Gives a command its handler. @param load - imports the handler when the command is called, and not before */
  handle<O>(command: Command, load: () => Promise<Handler<O>>): Command {
    return command.action(async () => {
      const handler = await load();
      const options = command.optsWithGlobals<O & GlobalOptions>();
      this.#result = await handler({ args: command.processedArgs, options, context: this.#context });
    });
  }
}

/** Collects a repeatable option into a list. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
