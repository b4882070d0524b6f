import assert from 'node:assert/strict';
import fc from 'fast-check';
import { concatBytes, jobHeaderToWire } from '#protocol/index.ts';
import { decodeFrame, encodeFrame } from '#client/frame.ts';
import { decodeOutcome, encodeOutcome } from '#client/store/stored-outcome.ts';
import { openStore } from '#client/store/store.ts';
import { Vault } from '#client/store/vault.ts';
import { sampleSeed } from '#test/depth.ts';
import { CHEAP, PASSPHRASE, removeFolders, storeWithOrder, temporaryFolder } from '#test/unit/client/store-fixtures.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { join } from 'node:path';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

describe('client store, any input', () => {
  afterEach(removeFolders);

  it('frames any document and bytes, and refuses every truncation inside the document', () => {
    fc.assert(
      fc.property(fc.jsonValue(), bytes(300), (document, tail) => {
        const frame = encodeFrame(document, tail);
        const back = decodeFrame(frame);
        assert.deepEqual(back.document, JSON.parse(JSON.stringify(document)));
        assert.deepEqual(back.bytes, new Uint8Array(tail));
        const documentEnd = frame.length - tail.length;
        throwsCode(() => decodeFrame(frame.subarray(0, documentEnd - 1)), 'STUN_INPUT');
      }),
      { seed: sampleSeed(), numRuns: 200 },
    );
  });

  it('opens what it sealed, under the same name only', async () => {
    const folder = await temporaryFolder();
    const vault = await Vault.open(folder, PASSPHRASE, CHEAP);
    const again = await Vault.open(folder, PASSPHRASE, CHEAP);
    await fc.assert(
      fc.asyncProperty(bytes(2000), async (plain) => {
        await vault.write(join(folder, 'a'), plain);
        assert.deepEqual(await again.read(join(folder, 'a')), new Uint8Array(plain));
        assert.equal(await vault.create(join(folder, 'a'), Uint8Array.of(1)), false);
        assert.deepEqual(await vault.read(join(folder, 'a')), new Uint8Array(plain));
      }),
      { seed: sampleSeed(), numRuns: 40 },
    );
  });

  it('keeps void outcomes as they are', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (reason, seenAtUnix) => {
        const outcome = { kind: 'void', code: 'STUN_BUDGET', reason, seenAtUnix } as const;
        assert.deepEqual(decodeOutcome(encodeOutcome(outcome), 'outcome'), outcome);
      }),
      { seed: sampleSeed(), numRuns: 100 },
    );
  });

  it('continues one unbroken chain over any sequence of demands and restarts, and never changes a stored demand', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(bytes(200), fc.constant('restart' as const)), { minLength: 1, maxLength: 8 }),
        async (steps) => {
          const { folder, order, laneEnclave, store } = await storeWithOrder();
          let lane = await store.lanes.create(order, laneEnclave);
          const made: { head: bigint; bytes: Uint8Array }[] = [];
          for (const step of steps) {
            if (step === 'restart') {
              await lane.close();
              lane = await (await openStore(folder, PASSPHRASE)).lanes.open(order, laneEnclave.provider, 0);
              continue;
            }
            const job = await lane.demand({ payload: step, maxPrice: 1n });
            assert.equal(job.header.previousHead, made.at(-1)?.head ?? job.header.previousHead);
            assert.equal(job.header.k, made.length + 1);
            made.push({ head: job.head, bytes: encodeFrame(jobHeaderToWire(job.header), job.envelope) });
          }
          const places = await lane.files.jobs();
          assert.equal(places.length, made.length);
          for (const [i, place] of places.entries()) {
            const job = await lane.files.job(place);
            assert.deepEqual(encodeFrame(jobHeaderToWire(job.header), job.envelope), concatBytes(made[i]!.bytes));
          }
          await lane.close();
        },
      ),
      { seed: sampleSeed(), numRuns: 8 },
    );
  }).timeout(120_000);
});
