import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/project-files.ts';
import { docCommands } from './doc-commands.ts';
import { commandsElsewhere, commandsIn, literalsOf, shownCommands, strayCommands } from './documented-commands.ts';

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

  it('stand in `sh` blocks, where this list sees them', () => {
    assert.deepEqual(commandsElsewhere('```\nnpx stun bundles\n```\n```sh\nnpm start\n```\n```ts\nnpm.start();\n```\n'), [
      'npx stun bundles',
    ]);
    assert.deepEqual(strayCommands(), []);
  });

  it('name a test that exists and says their subcommand and every option', () => {
    assert.deepEqual(literalsOf('npx stun ceremony start --circuit settlement-16 --out 0.zkey'), [
      'ceremony',
      'start',
      '--circuit',
      '--out',
    ]);
    for (const { command, proof } of docCommands) {
      if (!('test' in proof)) continue;
      assert.ok(existsSync(join(root, proof.test)), `${command}: no ${proof.test}`);
      const source = readFileSync(join(root, proof.test), 'utf8');
      for (const word of literalsOf(command)) {
        const literal = new RegExp(`['"\`]${word}['"\`=]`);
        assert.match(source, literal, `${proof.test} never says ${word} of: ${command}`);
      }
    }
  });

  it('give a reason where they are not run', () => {
    for (const { command, proof } of docCommands) if ('notRun' in proof) assert.ok(proof.notRun.length > 20, command);
  });
});
