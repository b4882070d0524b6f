/** Reads the commands out of the `sh` blocks of the documents. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFiles, root } from '../../scripts/project-files.ts';

/** A command and the document that shows it. */
export interface Shown {
  readonly file: string;
  readonly command: string;
}

/** The commands of one document: lines of `sh` blocks without comments, continuation lines joined by one space. */
export function commandsIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)].map((match) => match[1] ?? '');
  return blocks.flatMap((block) =>
    block
      .replaceAll(/\s*\\\n\s*/g, ' ')
      .split('\n')
      .map((line) => line.replace(/(?:^|\s)#\s.*$/, '').trim())
      .filter((line) => line !== ''),
  );
}

/** The commands of every document of the project. */
export function shownCommands(): Shown[] {
  const documents = projectFiles().filter((path) => path.endsWith('.md') && !path.startsWith('test/'));
  return documents.flatMap((file) => commandsIn(readFileSync(join(root, file), 'utf8')).map((command) => ({ file, command })));
}
