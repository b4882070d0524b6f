/**
 * `npm start`: one order from a customer's key to the money in the provider's account, on this machine, every part real but the
 * hardware, which is simulated and called so. `--keep` leaves it running; `--jobs N` (32 to 256) changes the number of jobs.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DEFAULT_CIRCUITS, ensureCircuit } from '#circuits/manifest.ts';
import { takeLock, type HeldLock } from '#client/store/lock.ts';
import { asStunError, errorEntry, exitCodeOf, StunError } from '#protocol/index.ts';
import { outliveReaders } from '../closed-pipe.ts';
import { parseWhole } from '../values.ts';
import { stoppingSignal } from '../stopping.ts';
import { assertPortFree } from '../stack/child.ts';
import { createLocalStack, type LocalStack } from '../stack/local-stack.ts';
import { auditStages } from './audit-stages.ts';
import { closingTables } from './closing-tables.ts';
import { compileStage, levelStages } from './level-stages.ts';
import { jobStages, payoutStages } from './job-stages.ts';
import { JOB_PRICE, orderStages } from './order-stages.ts';
import { sayWhatNext, writeEnvironment } from './next-steps.ts';
import { Interrupted, Stages } from './stages.ts';

/** What a shell reports for a program that Ctrl-C ended. */
const INTERRUPTED = 130;
const DIRECTORY = '.stun/demo';
const LOCKS = '.stun/demo-locks';
/** Where a kept demonstration is found: the environment file and the documentation name them. */
const KEPT_PORTS = { chainPort: 8545, servicePort: 8080 };

async function demonstrate(jobs: number, keep: boolean, stopping: AbortSignal): Promise<void> {
  const stages = new Stages(stopping);
  process.stdout.write(
    'STUN: one order, end to end, on this machine. The TDX machine is SIMULATED and protects nothing;\n' +
      'the proving keys are development keys. Everything else is what a deployment runs.\n\n',
  );
  if (keep) await Promise.all(Object.values(KEPT_PORTS).map(assertPortFree));
  rmSync(DIRECTORY, { recursive: true, force: true });
  mkdirSync(DIRECTORY, { recursive: true });
  const passphrase = randomBytes(16).toString('hex');
  let stack: LocalStack | undefined;
  try {
    await stages.run('build circuits and development keys', async (tell, say) => {
      const circuits = await Promise.all(DEFAULT_CIRCUITS.map((name) => ensureCircuit(name, { progress: tell })));
      const sizes = circuits.map(({ constraints }) => constraints.toLocaleString('en')).join(' and ');
      say(`${sizes} constraints, up to ${circuits[0]!.n} jobs a proof; cached`);
    });
    const compiled = await compileStage(stages, `${DIRECTORY}/credit-compiled`);
    stack = await stages.run('start the chain, deploy the contracts', async (tell, say) => {
      const created = await createLocalStack({
        directory: DIRECTORY,
        price: JOB_PRICE,
        segmentIdleMs: 30_000,
        compiledModel: compiled.directory,
        progress: tell,
        ...(keep && KEPT_PORTS),
      });
      say(`chain id ${created.deployment.chainId}, ${created.deployment.families.length} families of verifiers, fee 1 %`);
      return created;
    });
    const order = await orderStages(stages, stack, jobs, passphrase);
    const jobsServed = await jobStages(stages, stack, order, jobs);
    const levels = await levelStages(stages, stack, order.client, compiled);
    const served = { ...jobsServed, ...(await payoutStages(stages, stack, order)) };
    const audited = await auditStages(stages, stack, order, passphrase);
    process.stdout.write(`\n${levels.table}\n\n${await closingTables(stages, stack, order, served, audited)}\n`);
    order.client.close();
    writeEnvironment(stack, passphrase);
    sayWhatNext(DIRECTORY, keep);
    if (keep) await untilStopped(stopping);
  } catch (thrown) {
    if (thrown instanceof Interrupted) process.stdout.write('\n\nInterrupted: ending what was started.\n');
    throw thrown;
  } finally {
    await stack?.stop();
  }
}

/** Waits for the wish to stop, and keeps the process alive for it. */
function untilStopped(stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => undefined, 60_000);
    const stop = (): void => {
      clearInterval(timer);
      resolve();
    };
    if (stopping.aborted) stop();
    else stopping.addEventListener('abort', stop, { once: true });
  });
}

/** Only one demonstration runs in a checkout, since each starts by removing the files of the last. @throws `STUN_CONFIG` */
async function takeTheDemonstration(): Promise<HeldLock> {
  try {
    return await takeLock(LOCKS, 'the demonstration of this checkout');
  } catch (thrown) {
    if (!(thrown instanceof StunError) || thrown.code !== 'STUN_LANE_LOCKED') throw thrown;
    throw new StunError('STUN_CONFIG', `${thrown.message}: end that one first, its files would be removed`, { cause: thrown });
  }
}

/** @throws `STUN_INPUT` */
function readOptions(): { jobs: number; keep: boolean } {
  try {
    const { values } = parseArgs({
      options: { keep: { type: 'boolean', default: false }, jobs: { type: 'string', default: '32' } },
    });
    return { jobs: parseWhole(values.jobs, '--jobs', 32, 256), keep: values.keep };
  } catch (thrown) {
    if (thrown instanceof StunError) throw thrown;
    const allowed = 'npm start takes --keep and --jobs with a whole number in 32..256, nothing else';
    throw new StunError('STUN_INPUT', allowed, { cause: thrown });
  }
}

// A demonstration that nobody watches any more, as in `npm start | head`, is one that was interrupted.
const unwatched = new AbortController();
outliveReaders(() => unwatched.abort());
const stopping = AbortSignal.any([stoppingSignal(), unwatched.signal]);
try {
  const { jobs, keep } = readOptions();
  const lock = await takeTheDemonstration();
  try {
    await demonstrate(jobs, keep, stopping);
  } finally {
    await lock.release();
  }
} catch (thrown) {
  // The stage that was interrupted may still wait for something that nobody answers now.
  if (thrown instanceof Interrupted) process.exit(INTERRUPTED);
  const error = asStunError(thrown);
  process.stderr.write(`\n${error.code}: ${error.message}\n${errorEntry(error.code).doc}\n`);
  if (error.code === 'STUN_INTERNAL')
    process.stderr.write(`${String((error.cause as Error | undefined)?.stack ?? error.cause)}\n`);
  process.exitCode = exitCodeOf(error.code);
}
