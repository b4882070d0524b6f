import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/project-files.ts';
import { docCommands } from './doc-commands.ts';
import { commandsIn, shownCommands } from './documented-commands.ts';

describe('documented commands', () => {
  it('are read from sh blocks, comments dropped and continuation lines joined', () => {
    const markdown = 'text\n```sh\n# comment\nnpm start   # shows it\nstun order open \\\n  --json\n```\n```ts\nnot this\n```\n';
    assert.deepEqual(commandsIn(markdown), ['npm start', 'stun order open --json']);
  });

  it('are all in the list of what is run', () => {
    const listed = new Set(docCommands.map((one) => one.command));
    const shown = shownCommands();
    assert.ok(shown.length > 0, 'no document shows a command');
    assert.deepEqual(
      shown.filter((one) => !listed.has(one.command)),
      [],
    );
  });

  it('are all still shown by a document', () => {
    const shown = new Set(shownCommands().map((one) => one.command));
    assert.deepEqual(
      docCommands.filter((one) => !shown.has(one.command)),
      [],
    );
  });

  it('name a test that exists and runs the same subcommand', () => {
    for (const { command, proof } of docCommands) {
      if (!('test' in proof)) continue;
      assert.ok(existsSync(join(root, proof.test)), `${command}: no ${proof.test}`);
      const source = readFileSync(join(root, proof.test), 'utf8');
      const words = command
        .replace(/^.*?\bstun /, '')
        .split(' ')
        .filter((word) => /^[a-z][a-z-]*$/.test(word))
        .slice(0, 2);
      for (const word of words) assert.ok(source.includes(word), `${proof.test} never says ${word} of: ${command}`);
    }
  });

  it('give a reason where they are not run', () => {
    for (const { command, proof } of docCommands) if ('notRun' in proof) assert.ok(proof.notRun.length > 20, command);
  });
});
