/**
 * The sender under a random sequence of everything that can go wrong at once: lost requests and answers, crashes, dropped and
 * foreign transactions, fee spikes and re-organisations that stay above the final blocks. In the end every payee has 1 wei.
 */
import assert from 'node:assert/strict';
import type { RpcSend } from '#chain/sender/node.ts';
import type { TransactionSender } from '#chain/sender/sender.ts';
import { SeededRandom } from '#test/circuits/fixtures.ts';
import { depth, sampleSeed } from '#test/depth.ts';
import { SenderStage } from './stage.ts';

const CONFIRMATIONS = 3;
const GWEI = 10n ** 9n;

describe('sender: chaos', function () {
  this.timeout(300_000);

  it('pays everybody exactly once, whatever happens', async () => {
    const seed = sampleSeed();
    const random = new SeededRandom(`sender chaos ${seed}`);
    const steps = depth() === 'full' ? 5000 : 300;
    const chance = (percent: bigint): boolean => random.below(100n) < percent;
    const stage = await SenderStage.open();
    const wallet = stage.chain.wallet(0);
    const names: string[] = [];
    /** Every signed transaction that left the sender: other nodes keep them and may bring them back. */
    const seen: unknown[] = [];
    const counts = new Map<string, number>();
    let faultPercent = 2n;
    let blocksSinceSnapshot = 0;
    let sender: TransactionSender;

    const rpc: RpcSend = async (method, params) => {
      const fail = (): never => {
        throw Object.assign(new Error('the connection broke'), { code: 'ECONNRESET' });
      };
      if (chance(faultPercent)) fail();
      if (method === 'eth_sendRawTransaction') seen.push(params[0]);
      const answer = await stage.rpc(method, params);
      return chance(faultPercent) ? fail() : answer;
    };
    const options = {
      rpc,
      isDone: stage.isPaid,
      policy: { confirmations: CONFIRMATIONS, replaceAfterMs: 30_000, maxFeePerGasWei: 500n * GWEI },
    };
    const strangerSends = async (nonce: number): Promise<void> => {
      const fees = { maxFeePerGas: 400n * GWEI, maxPriorityFeePerGas: 300n * GWEI };
      await wallet.sendTransaction({ to: stage.payee('stranger'), value: 1n, nonce, gasLimit: 21_000n, ...fees });
    };
    const mine = async (): Promise<void> => {
      if (blocksSinceSnapshot === CONFIRMATIONS - 1) {
        await stage.takeSnapshot();
        blocksSinceSnapshot = 0;
      }
      await stage.mine();
      blocksSinceSnapshot++;
    };
    const events: readonly (readonly [string, bigint, () => Promise<void>])[] = [
      [
        'submit',
        15n,
        async () => {
          const name = `payee ${names.length}`;
          names.push(name);
          await sender.submit({ key: name, call: stage.payment(name), context: '' });
        },
      ],
      ['pass', 36n, async () => void (await sender.pass().catch(() => {}))],
      ['mine', 20n, mine],
      ['time', 8n, async () => void (stage.nowMs += 15_000)],
      [
        'drop',
        5n,
        async () => {
          const open = await stage.store.active(stage.chain.chainId, stage.chain.accounts[0]!.address);
          const hash = open.at(Number(random.below(BigInt(open.length + 1))))?.attempts.at(-1)?.transactionHash;
          if (hash !== undefined) await stage.chain.request('hardhat_dropTransaction', [hash]).catch(() => {});
        },
      ],
      ['crash', 4n, async () => void (sender = await stage.afterCrash(options))],
      [
        'reorganise',
        6n,
        async () => {
          await stage.reorganise();
          blocksSinceSnapshot = 0;
          for (const raw of seen.slice(-20)) {
            if (chance(50n)) await stage.chain.request('eth_sendRawTransaction', [raw]).catch(() => {});
          }
        },
      ],
      [
        'stranger',
        5n,
        async () => {
          const latest = await stage.chain.provider.getTransactionCount(wallet.address, 'latest');
          await strangerSends(latest).catch(() => {});
        },
      ],
      [
        'spike',
        1n,
        async () => void (await stage.chain.request('hardhat_setNextBlockBaseFeePerGas', [`0x${(600n * GWEI).toString(16)}`])),
      ],
    ];

    try {
      sender = await stage.sender(options);
      for (let step = 0; step < steps; step++) {
        let draw = random.below(100n);
        const event = events.find(([, weight]) => (draw -= weight) < 0n);
        assert.ok(event);
        counts.set(event[0], (counts.get(event[0]) ?? 0) + 1);
        await event[2]();
      }
      faultPercent = 0n;
      await stage.chain.request('hardhat_setNextBlockBaseFeePerGas', [`0x${GWEI.toString(16)}`]);
      const open = (): Promise<readonly unknown[]> => stage.store.active(stage.chain.chainId, stage.chain.accounts[0]!.address);
      for (let i = 0; (await open()).length > 0; i++) {
        assert.ok(i < 200, `still open: ${JSON.stringify((await open())[0])}`);
        await stage.mine();
        stage.nowMs += 5_000;
        await sender.pass();
      }
      const paid = await Promise.all(names.map((name) => stage.paid(name)));
      assert.deepEqual(new Set(paid), new Set([1n]), `seed ${seed}`);
      console.log(`      ${names.length} intents, ${steps} steps, seed ${seed}: ${JSON.stringify(Object.fromEntries(counts))}`);
      await sender.close();
    } finally {
      await stage.close();
    }
  });
});
