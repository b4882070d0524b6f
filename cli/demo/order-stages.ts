/** The first half: attestors, service, a worker that registers, and an order of the customer. */
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { contractsOf } from '#chain/deployment.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { chooseEnclave, connectClient, openOrder, type ClientConnection, type OrderRecord } from '#client/index.ts';
import { ACCOUNT, addressOf, type LocalStack } from '../stack/local-stack.ts';
import { creditModelId } from './credit-jobs.ts';
import type { Stages } from './stages.ts';

/** Price units; the worker charges 700. */
export const MAX_PRICE = 1000n;
/** What the demonstration's workers ask for a job, in price units. */
export const JOB_PRICE = 700n;
/** Wei per price unit. */
export const PRICE_SCALE = 10n ** 9n;

/** The customer with its order. */
export interface DemoOrder {
  readonly client: ClientConnection;
  readonly order: OrderRecord;
  readonly budgetWei: bigint;
  readonly openGas: bigint;
  readonly registerGas: bigint;
}

/** Starts the processes and opens the order. */
export async function orderStages(stages: Stages, stack: LocalStack, jobs: number, passphrase: string): Promise<DemoOrder> {
  await stages.run('start three attestors, two must agree', async (_tell, say) => {
    const attestors = await stack.startAttestors();
    say(attestors.map((child) => `pid ${child.pid}`).join(', '));
  });
  await stages.run('start the service and its prover', async (_tell, say) => {
    const child = await stack.startService();
    const { backendWishOf, chooseBackends } = await import('#prover/backends.ts');
    const [backend] = chooseBackends(backendWishOf(process.env)).backends;
    say(`${stack.serviceUrl}, pid ${child.pid}, embedded database, proofs by ${backend!.name} (${backend!.engine})`);
  });
  const registerGas = await stages.run('worker attests, two attestors approve, registers', async (_tell, say) => {
    const child = await stack.startWorker('worker');
    const { registry } = contractsOf(stack.deployment, stack.chain.provider);
    const registered = (await registry.registrations(stack.deployment.deployBlock))[0];
    const receipt = await stack.chain.provider.getTransactionReceipt(registered?.place.transactionHash ?? '');
    say(`pid ${child.pid}, platform code ${registered?.platform}: simulated TDX`);
    return receipt?.gasUsed ?? 0n;
  });
  const provider = addressOf(stack, ACCOUNT.provider);
  const budgetWei = BigInt(jobs + 8) * MAX_PRICE * PRICE_SCALE;
  const { client, order, openGas } = await stages.run('customer opens an order', async (_tell, say) => {
    const connected = await connectClient({
      home: `${stack.directory}/client`,
      passphrase,
      deployment: stack.deployment,
      rpcUrl: stack.chain.url,
      serviceUrl: stack.serviceUrl,
      privateKey: stack.chain.accounts[ACCOUNT.customer]!.privateKey,
      extraRoots: [stack.trustRoot],
    });
    const opened = await openOrder(connected, {
      modelId: creditModelId(),
      policy: simulatedPolicy,
      budgets: [{ provider, amount: budgetWei }],
      token: NATIVE_TOKEN,
      deadlineUnix: (await stack.chain.nowUnix()) + 7 * 86_400,
      graceSeconds: 86_400,
      segmentLength: 16,
      priceScale: PRICE_SCALE,
    });
    say(`budget ${gwei(budgetWei)} gwei, maximum ${MAX_PRICE} a job, 16 jobs a settlement`);
    return { client: connected, order: opened.order, openGas: opened.transaction.gasUsed };
  });
  await stages.run('customer verifies the enclave itself', async (_tell, say) => {
    const { evidence } = await chooseEnclave(client, order, { maxPrice: MAX_PRICE });
    const proven = evidence.checks.filter((check) => check.status === 'proven').length;
    say(
      `${proven} checks proven, TCB ${evidence.tcbStatus ?? 'certified'}; SIMULATED hardware, accepted because the policy names it`,
    );
  });
  return { client, order, budgetWei, openGas, registerGas };
}

/** Wei as gwei, exact for the demonstration's amounts. */
export function gwei(wei: bigint): string {
  return (wei / 10n ** 9n).toLocaleString('en');
}
