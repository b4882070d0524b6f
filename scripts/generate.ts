/** `npm run generate`: runs every generator of a committed file; `npm run check` fails when one of them was forgotten. */
import { generators } from './gates/generated.ts';
import { runProcess } from './run-process.ts';

for (const { script, write } of generators) {
  const done = await runProcess(process.execPath, [script, ...write]);
  process.stdout.write(done.stdout + done.stderr);
  console.log(`${script}: ${done.status === 0 ? 'done' : `failed with status ${done.status}`}`);
  if (done.status !== 0) process.exitCode = 1;
}
