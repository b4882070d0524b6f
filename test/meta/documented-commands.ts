/** Reads the commands out of the `sh` blocks of the documents. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFiles, root } from '../../scripts/project-files.ts';

/** A command and the document that shows it. */
export interface Shown {
  readonly file: string;
  readonly command: string;
}

/** The fenced blocks of one document, each with the word behind its fence. */
function blocksOf(markdown: string): { language: string; text: string }[] {
  const blocks = markdown.matchAll(/^ *```([^`\n]*)\n([\s\S]*?)^ *```$/gm);
  return [...blocks].map(([, language = '', text = '']) => ({ language, text }));
}

/** The commands of one document: lines of `sh` blocks without comments, continuation lines joined by one space. */
export function commandsIn(markdown: string): string[] {
  const shown = blocksOf(markdown).filter(({ language }) => language === 'sh');
  return shown.flatMap(({ text }) =>
    text
      .replaceAll(/\s*\\\n\s*/g, ' ')
      .split('\n')
      .map((line) => line.replace(/(?:^|\s)#\s.*$/, '').trim())
      .filter((line) => line !== ''),
  );
}

/** Lines of other blocks that look like commands, which nothing would run. */
export function commandsElsewhere(markdown: string): string[] {
  const others = blocksOf(markdown).filter(({ language }) => language !== 'sh');
  return others.flatMap(({ text }) => text.split('\n').filter((line) => /^\s*(?:\$ +)?(?:npx|npm|stun) /.test(line)));
}

/**
 * What a test has to say as literals when it runs the command: the words of its subcommand and the names of its options. That is
 * necessary, not sufficient: the test may use them in different runs.
 */
export function literalsOf(command: string): string[] {
  const words = command.replace(/^.*?\bstun /, '').split(' ');
  const argument = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  const options = words.filter((word) => word.startsWith('--'));
  return [...words.slice(0, argument === -1 ? words.length : argument), ...options];
}

/** What `of` finds in every document of the project. */
function inDocuments(of: (markdown: string) => string[]): Shown[] {
  const documents = projectFiles().filter((path) => path.endsWith('.md') && !path.startsWith('test/'));
  return documents.flatMap((file) => of(readFileSync(join(root, file), 'utf8')).map((command) => ({ file, command })));
}

/** The commands of every document of the project. */
export const shownCommands = (): Shown[] => inDocuments(commandsIn);

/** The commands of every document that stand outside `sh` blocks. */
export const strayCommands = (): Shown[] => inDocuments(commandsElsewhere);
