/** Commands of the provider: settling with its own files, and the processes it runs. */
import type { Command } from 'commander';
import type { Runner } from '../runner.ts';
import { ceremonies } from './operator.ts';

/** Adds them. */
export function registerProvider(program: Command, runner: Runner): void {
  runner.serve(
    program.command('worker').description('run the enclave program (STUN_WORKER_CONFIG); docs/provider.md explains its settings'),
    async () => (await import('../commands/processes.ts')).workerProcess,
  );
  runner.handle(
    program
      .command('bundles')
      .requiredOption('--store <file>', "the worker's database")
      .requiredOption('--out <directory>', 'where the bundles are written')
      .option('--worker-is-gone', 'also end open segments: only when no worker will use the database again with the same keys')
      .description("write a worker's unsettled segments as bundles for `settle`"),
    async () => (await import('../commands/bundles.ts')).bundles,
  );
  runner.handle(
    ceremonies(program.command('settle'))
      .requiredOption('--bundle <file>', 'a settlement bundle of the worker')
      .option('--proof <file>', 'a proof made before; proved here when left out')
      .option('--prove-only <file>', 'write the proof and send nothing')
      .option('--timeout <duration>', 'limit of proving', '10m')
      .description('prove a segment and settle it, without any service'),
    async () => (await import('../commands/settle.ts')).settle,
  );
  runner.handle(
    program
      .command('answer')
      .requiredOption('--bundle <file>', 'the settlement bundle that became the challenged batch')
      .description('answer the open challenges of a batch with the inference proofs of its bundle; anybody may'),
    async () => (await import('../commands/challenge.ts')).answer,
  );
  registerPayout(program, runner);
  const stake = program.command('stake').description('what a provider of challengeable orders puts up');
  runner.handle(
    token(stake.command('deposit').argument('<amount>')).description('add to your stake'),
    async () => (await import('../commands/stake.ts')).stakeDeposit,
  );
  runner.handle(
    token(stake.command('unbond').argument('<amount>')).description('ask an amount back, in place of what was asked before'),
    async () => (await import('../commands/stake.ts')).stakeUnbond,
  );
  runner.handle(
    token(stake.command('withdraw')).description('take what was asked back and is due, and what the court owes you'),
    async () => (await import('../commands/stake.ts')).stakeWithdraw,
  );
  runner.handle(
    token(stake.command('show')).requiredOption('--provider <address>', 'whose stake').description('show a stake'),
    async () => (await import('../commands/stake.ts')).stakeShow,
  );
}

const token = (command: Command): Command => command.option('--token <address>', '`native` or `stun` or an address', 'native');

function registerPayout(program: Command, runner: Runner): void {
  const payout = program.command('payout').description('what the escrow owes you, where it goes, and who settles for you');
  runner.handle(
    token(payout.command('show')).requiredOption('--account <address>', 'whose credit').description('show what can be withdrawn'),
    async () => (await import('../commands/payout.ts')).payoutShow,
  );
  runner.handle(
    token(payout.command('withdraw')).description('pay your credit to your payout address'),
    async () => (await import('../commands/payout.ts')).payoutWithdraw,
  );
  runner.handle(
    token(payout.command('address').argument('<address>')).description('name where your withdrawals go'),
    async () => (await import('../commands/payout.ts')).payoutAddress,
  );
  runner.handle(
    token(payout.command('operator').argument('<address>'))
      .option('--revoke', 'not any longer')
      .description('let an address settle for you; it receives nothing'),
    async () => (await import('../commands/payout.ts')).payoutOperator,
  );
}
