/**
 * `npm start`: one order from a customer's key to the money in the provider's account, on this machine, every part real but the
 * hardware, which is simulated and called so. `--keep` leaves it running; `--jobs N` (32 to 256) changes the number of jobs.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DEFAULT_CIRCUITS, ensureCircuit } from '#circuits/manifest.ts';
import { asStunError, errorEntry, exitCodeOf, StunError } from '#protocol/index.ts';
import { parseWhole } from '../values.ts';
import { stoppingSignal } from '../stopping.ts';
import { createLocalStack, type LocalStack } from '../stack/local-stack.ts';
import { auditStages } from './audit-stages.ts';
import { closingTables } from './closing-tables.ts';
import { compileStage, levelStages } from './level-stages.ts';
import { jobStages, payoutStages } from './job-stages.ts';
import { orderStages } from './order-stages.ts';
import { sayWhatNext, writeEnvironment } from './next-steps.ts';
import { Stages } from './stages.ts';

const DIRECTORY = '.stun/demo';

async function demonstrate(jobs: number, keep: boolean): Promise<void> {
  const stages = new Stages();
  process.stdout.write(
    'STUN: one order, end to end, on this machine. The TDX machine is SIMULATED and protects nothing;\n' +
      'the proving keys are development keys. Everything else is what a deployment runs.\n\n',
  );
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
        price: 700n,
        segmentIdleMs: 30_000,
        compiledModel: compiled.directory,
        progress: tell,
        ...(keep && { chainPort: 8545, servicePort: 8080 }),
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
    if (keep) await untilInterrupted();
  } finally {
    await stack?.stop();
  }
}

/** Resolves on SIGINT or SIGTERM. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => undefined, 60_000);
    stoppingSignal().addEventListener('abort', () => {
      clearInterval(timer);
      resolve();
    });
  });
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

try {
  const { jobs, keep } = readOptions();
  await demonstrate(jobs, keep);
} catch (thrown) {
  const error = asStunError(thrown);
  process.stderr.write(`\n${error.code}: ${error.message}\n${errorEntry(error.code).doc}\n`);
  if (error.code === 'STUN_INTERNAL')
    process.stderr.write(`${String((error.cause as Error | undefined)?.stack ?? error.cause)}\n`);
  process.exitCode = exitCodeOf(error.code);
}
