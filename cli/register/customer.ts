/** Commands of the customer: orders, jobs, results, receipts, enclaves, backups, audit. */
import type { Command } from 'commander';
import { collect, type Runner } from '../runner.ts';

/** Adds them. */
export function registerCustomer(program: Command, runner: Runner): void {
  registerOrder(program, runner);
  registerJobs(program, runner);
  registerRecords(program, runner);
}

function registerOrder(program: Command, runner: Runner): void {
  const order = program.command('order').description('open, look at, close and refund orders');
  runner.handle(
    order
      .command('open')
      .description('open an order on chain; keys and opening are stored first')
      .option('--model-id <id>', 'the model to be run')
      .option('--compiled-model <folder>', 'the compiled model to be run, in place of --model-id')
      .option('--level <level>', 'attested, challengeable or proven; the last two need a compiled model', 'attested')
      .option('--approved-by <address>', 'an account that must have approved the ceremony of the model; repeatable', collect)
      .option('--window <duration>', 'challengeable: how long a batch can be challenged', '24h')
      .option('--answer-period <duration>', 'challengeable: how long a challenge can be answered, at least 24h', '24h')
      .option('--bond <amount>', 'challengeable: what a challenger puts up', '0.01ether')
      .option('--slash <amount>', 'challengeable: what the provider loses when it does not answer', '0.1ether')
      .option('--challenger <address>', 'challengeable: who may challenge besides you')
      .option('--budget <provider=amount>', 'a budget for a provider, in token units or like 0.5ether; repeatable', collect)
      .option('--policy <file>', 'policy that an enclave must satisfy (the default policy)')
      .option('--token <address>', '`native` or `stun` or an address', 'native')
      .option('--deadline <time>', 'when service ends: a duration from now on or unix seconds', '7d')
      .option('--grace <duration>', 'time to settle after the deadline, at least 24h', '24h')
      .option('--segment <jobs>', 'jobs in one settlement at most', '16')
      .option('--price-scale <units>', 'token units per price unit', '1000000000')
      .option('--resume <orderKey>', 'send the transaction of a stored order that was interrupted'),
    async () => (await import('../commands/order.ts')).orderOpen,
  );
  runner.handle(
    order.command('show').argument('[orderKey]', 'all stored orders when left out').description('an order as your node shows it'),
    async () => (await import('../commands/order.ts')).orderShow,
  );
  runner.handle(
    order
      .command('top-up')
      .argument('[orderKey]')
      .requiredOption('--budget <provider=amount>', 'what to add', collect)
      .description('add to a budget'),
    async () => (await import('../commands/order.ts')).orderTopUp,
  );
  runner.handle(
    order.command('close').argument('[orderKey]').description('end service now; the grace for settlement stays'),
    async () => (await import('../commands/order.ts')).orderClose,
  );
  runner.handle(
    order.command('refund').argument('[orderKey]').description('take back what is left, after deadline and grace'),
    async () => (await import('../commands/order.ts')).orderRefund,
  );
}

function registerJobs(program: Command, runner: Runner): void {
  runner.handle(
    program
      .command('submit')
      .argument('[inputs...]', 'JSON files with named tensors, one job each; a file with a list holds one job per entry')
      .option('--order <orderKey>', 'the order to bill (the only one)')
      .option('--max-price <units>', 'price units that one job may cost')
      .option('--provider <address>', 'only enclaves of this provider')
      .option('--enclave <keysetDigest>', 'only this enclave')
      .option('--payload <file>', 'an encoded tensor payload as it is; repeatable', collect)
      .option('--resume', 'send what is stored and was not sent; identical bytes')
      .option('--resubmit', 'send voided jobs again, on a new lane to another enclave')
      .option('--wait <duration>', 'wait for the results and verify them')
      .description('verify an enclave, seal inputs to it and send them'),
    async () => (await import('../commands/submit.ts')).submit,
  );
  runner.handle(
    program
      .command('result')
      .argument('[jobId]', 'all jobs of the store when left out')
      .option('--wait <duration>', 'wait this long for it', '0s')
      .option('--out <file>', 'write the exact committed output bytes')
      .option('--receipt <file>', 'write the receipt file: input and output in clear, evidence, receipt')
      .description('fetch, open and verify a result'),
    async () => (await import('../commands/result.ts')).result,
  );
  const challenge = program
    .command('challenge')
    .argument('[jobId]')
    .description('challenge the answer to a job of a challengeable order, posting the bond of its terms');
  runner.handle(challenge, async () => (await import('../commands/challenge.ts')).challenge);
  runner.handle(
    challenge
      .command('status')
      .argument('[orderKey]')
      .description('batches of an order in the challenge court, and what is open'),
    async () => (await import('../commands/challenge.ts')).challengeStatus,
  );
  runner.handle(
    ofModel(challenge.command('check')).description('hold every settled answer of an order to the model'),
    async () => (await import('../commands/challenge-watch.ts')).challengeCheck,
  );
  runner.serve(
    ofModel(challenge.command('watch'))
      .option('--every <duration>', 'look this often', '60s')
      .option('--once', 'look once')
      .option('--challenge-withheld', 'challenge also what cannot be opened; it may be answered, and then costs the bond')
      .description("challenge every answer that is not the model's, and have refunded what nobody answers, until stopped"),
    async () => (await import('../commands/challenge-watch.ts')).challengeWatch,
  );
  runner.handle(
    challenge
      .command('finalise')
      .argument('<batchId>')
      .description('end a batch: pay the provider after the window, or refund what was not answered; anybody may'),
    async () => (await import('../commands/challenge.ts')).challengeFinalise,
  );
  const enclaves = program.command('enclaves').description('enclaves that a service lists');
  runner.handle(
    enclaves
      .command('list')
      .option('--model-id <id>')
      .option('--provider <address>')
      .option('--verify', 'verify the evidence of each and check it on chain')
      .option('--policy <file>', 'policy to verify by (the default policy)')
      .description('list enclaves; nothing of a listing is verified without --verify'),
    async () => (await import('../commands/enclaves.ts')).enclavesList,
  );
}

function ofModel(command: Command): Command {
  return command
    .argument('[orderKey]', 'the only order of the store when left out')
    .requiredOption('--compiled-model <folder>', 'your copy of the compiled model');
}

function disclosureKeys(command: Command): Command {
  return command
    .option('--ceremony <folder>', 'the exported ceremony of the shape of the output; a development key without it')
    .option('--allowed-keys <file>', "list of the keys that count, with their transcripts' hashes (the repository's)")
    .option(
      '--rehearsal-table <file>',
      'digests of powers of tau to accept in place of the published ones; convinces nobody else',
    );
}

function registerRecords(program: Command, runner: Runner): void {
  const receipt = program.command('receipt').description('receipt files');
  runner.handle(
    receipt.command('verify').argument('<file>').description('verify a receipt file offline, and show the bytes it hashes'),
    async () => (await import('../commands/receipt.ts')).receiptVerify,
  );
  runner.handle(
    disclosureKeys(receipt.command('disclose').argument('<file>', 'a receipt file over a compiled model'))
      .requiredOption('--out <file>', 'where to write the disclosure')
      .option('--output-index <i>', 'the element of the output that is spoken of')
      .option('--ge <value>', 'it is at least this')
      .option('--le <value>', 'it is at most this; with --ge, it is in this range')
      .option('--eq <value>', 'it is this')
      .option('--argmax-is <i>', 'this element is the greatest, the first if several are equal')
      .description('prove a statement about the output of a receipt, and show nothing else of it'),
    async () => (await import('../commands/disclose.ts')).receiptDisclose,
  );
  runner.handle(
    disclosureKeys(receipt.command('verify-disclosure').argument('<file>'))
      .option('--audit <bundle>', 'an audit bundle that may show that the receipt was settled')
      .description('verify a disclosure offline'),
    async () => (await import('../commands/disclose.ts')).disclosureVerify,
  );
  const audit = program.command('audit').description('audit bundles of a job, a batch or an order');
  runner.handle(
    audit
      .command('export')
      .requiredOption('--out <file>', 'where to write the bundle')
      .option('--order <orderKey>', 'the order (the only one)')
      .option('--job <jobId>', 'only the batch of this job, with this job opened')
      .option('--batch <laneNew>', 'only the batch that ends with this demand head')
      .option('--open', 'include inputs and outputs in clear')
      .description('collect everything that an auditor needs into one file'),
    async () => (await import('../commands/audit.ts')).auditExport,
  );
  runner.handle(
    audit
      .command('verify')
      .argument('<file>')
      .option('--attestor <address>', 'an attestor you accept; repeatable', collect)
      .option('--threshold <count>', 'how many of them must have approved', '2')
      .description('verify a bundle offline; with --rpc also against the chain'),
    async () => (await import('../commands/audit.ts')).auditVerify,
  );
  const backup = program.command('backup').description('keys, orders and openings; never lanes');
  runner.handle(
    backup.command('export').requiredOption('--out <file>').description('seal all orders under STUN_BACKUP_PASSPHRASE'),
    async () => (await import('../commands/backup.ts')).backupExport,
  );
  runner.handle(
    backup.command('restore').argument('<file>').description('put the orders of a backup into the store'),
    async () => (await import('../commands/backup.ts')).backupRestore,
  );
}
