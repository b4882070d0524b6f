/**
 * Gas of whole transactions on the development chain (hardfork osaka), with real proofs: opening an order, the first and the next
 * batch of a lane at N = 16 and 64, registration, refund, withdrawal, orders above `attested`; beside them the signature-only baseline of
 * contracts/baseline, which pays for one enclave signature per batch and checks nothing that the proof shows.
 */
import { randomBytes } from 'node:crypto';
import { ContractAccess } from '#chain/contract-access.ts';
import { artifacts } from '#chain/artifacts.ts';
import { deployContract } from '#chain/deploy.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { toHex } from '#protocol/index.ts';
import { openRealOrder, proveSegment, serveSegment, type RealOrder } from '#test/contracts/real-segment.ts';
import { approve, DAY, makeEnclave, startStage, type Stage, type StageEnclave } from '#test/contracts/stage.ts';
import { summarise, type Figure } from './figure.ts';
import { measurePublished } from './gas/published.ts';

const circuits = { 16: 'settlement-16', 64: 'settlement-64' } as const;
const BATCHES = 3;

type Gas = Map<string, number[]>;

function note(gas: Gas, name: string, used: bigint): void {
  gas.set(name, [...(gas.get(name) ?? []), Number(used)]);
}

/** One lane of `BATCHES` full batches; the order's budget lasts for all of them. */
async function measureLane(stage: Stage, enclave: StageEnclave, jobs: 16 | 64, gas: Gas): Promise<RealOrder> {
  const budgets = [{ provider: stage.provider.address.toLowerCase(), amount: 1_000_000n }];
  const order = await openRealOrder(stage, enclave, jobs, { budgets });
  let laneOld = 0n;
  for (let batch = 0; batch < BATCHES; batch++) {
    const segment = await serveSegment(stage, enclave, order, { jobs, price: 100n, laneOld });
    const { proof, signals } = await proveSegment(circuits[jobs], segment);
    const mined = await stage.as(stage.provider).escrow.settle(stage.funder.address, proof, signals);
    note(gas, `settle N=${jobs}, ${batch === 0 ? 'first batch of a lane' : 'steady state'}`, mined.gasUsed);
    laneOld = signals.laneNew;
  }
  return order;
}

/** The baseline's batches: one signature, whatever the number of jobs. */
async function measureBaseline(stage: Stage, gas: Gas): Promise<void> {
  const address = await deployContract(stage.owner, artifacts.SignatureOnlyEscrow, [stage.deployment.token]);
  const asFunder = new ContractAccess(artifacts.SignatureOnlyEscrow, address, stage.funder);
  await stage.as(stage.funder).token.approve(address, 1_000_000n);
  const [enclave, provider] = [stage.stranger, stage.provider.address];
  const deposited = await asFunder.send('deposit', [provider, enclave.address, 1_000_000n]);
  note(gas, 'baseline deposit', deposited.gasUsed);
  const domain = { name: 'STUN baseline', version: '1', chainId: stage.deployment.chainId, verifyingContract: address };
  const types = {
    Batch: [
      { name: 'requestsHash', type: 'bytes32' },
      { name: 'nonce', type: 'uint256' },
      { name: 'provider', type: 'address' },
      { name: 'user', type: 'address' },
      { name: 'totalFee', type: 'uint256' },
    ],
  };
  const user = stage.funder.address;
  const asProvider = new ContractAccess(artifacts.SignatureOnlyEscrow, address, stage.provider);
  for (let nonce = 1; nonce <= BATCHES; nonce++) {
    const requestsHash = toHex(randomBytes(32));
    const totalFee = 6400n;
    const signature = await enclave.signTypedData(domain, types, { requestsHash, nonce, provider, user, totalFee });
    const mined = await asProvider.send('settle', [user, provider, requestsHash, nonce, totalFee, signature]);
    note(gas, `baseline settle, ${nonce === 1 ? 'first batch' : 'steady state'}`, mined.gasUsed);
  }
}

/** Measures everything once; steady states over two batches. */
export async function run(): Promise<Figure[]> {
  const stage = await startStage();
  const gas: Gas = new Map();
  try {
    const enclave = await makeEnclave(stage);
    const { registry, escrow } = stage.as(stage.provider);
    note(gas, 'register, first enclave', (await registry.register(enclave.registration, await approve(stage, enclave))).gasUsed);
    const second = await makeEnclave(stage);
    note(gas, 'register, next enclave', (await registry.register(second.registration, await approve(stage, second))).gasUsed);
    note(gas, 'revoke', (await registry.revoke(second.keysetDigest)).gasUsed);
    // Fee account and provider hold a credit before anything is measured, as in steady state.
    const probe = await openRealOrder(stage, enclave, 16);
    note(gas, 'open, coin, one provider', await openGas(stage, enclave));
    const warm = await serveSegment(stage, enclave, probe, { jobs: 1, price: 500n });
    const proven = await proveSegment('settlement-16', warm);
    const first = await escrow.settle(stage.funder.address, proven.proof, proven.signals);
    note(gas, 'settle N=16, first ever of a provider', first.gasUsed);
    const orders = [await measureLane(stage, enclave, 16, gas), await measureLane(stage, enclave, 64, gas)];
    note(gas, 'withdraw, coin', (await escrow.withdraw(NATIVE_TOKEN)).gasUsed);
    await stage.chain.increaseTime(3 * DAY);
    const { escrow: asFunder } = stage.as(stage.funder);
    note(gas, 'refund, one provider', (await asFunder.refund(orders[0]!.orderId, [stage.provider.address])).gasUsed);
    await measurePublished(stage, enclave, (name, used) => note(gas, name, used));
    await measureBaseline(stage, gas);
  } finally {
    await stage.close();
  }
  return figuresOf(gas);
}

async function openGas(stage: Stage, enclave: StageEnclave): Promise<bigint> {
  const order = await openRealOrder(stage, enclave, 16);
  const [event] = await stage.as(stage.owner).escrow.ordersOpened(0, { orderId: order.orderId });
  const receipt = await stage.chain.provider.getTransactionReceipt(event!.place.transactionHash);
  return receipt!.gasUsed;
}

/** Batches carry the baseline's figure beside them. */
function figuresOf(gas: Gas): Figure[] {
  return [...gas].map(([name, samples]) => {
    const steady = name.startsWith('settle') ? gas.get('baseline settle, steady state') : undefined;
    const beside = name.includes('first') ? gas.get('baseline settle, first batch') : steady;
    return summarise(name, 'gas', samples, name.startsWith('settle N') ? (beside?.[0] ?? null) : null);
  });
}
