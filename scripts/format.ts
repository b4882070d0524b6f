/** `npm run format [-- PATH…]`: rewrites files in the project's format. */
import { runProcess, tool } from './run-process.ts';

const wanted = process.argv.slice(2);
const done = await runProcess(tool('prettier'), [
  '--write',
  '--log-level',
  'warn',
  '--ignore-unknown',
  ...(wanted.length > 0 ? wanted : ['.']),
]);
process.stdout.write(done.stdout + done.stderr);
process.exitCode = done.status;
