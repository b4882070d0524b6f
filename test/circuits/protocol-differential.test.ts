/** The circuit's templates against the protocol's functions, on random values: same hashes, packings, roots and verdicts. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { BASE8, SUBGROUP_ORDER, toJubPoint } from '#protocol/babyjub.ts';
import { enclaveLeafOf, signerIdOf } from '#protocol/commitments.ts';
import { demandHeadOf, laneGenesisOf, orderIdOf, PRICE_BITS } from '#protocol/demand.ts';
import { eddsaPublicKey, signEddsa, verifyEddsa, type EddsaSignature } from '#protocol/eddsa.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { addressToField, FIELD_ORDER, fieldToAddress } from '#protocol/field.ts';
import { enclaveTree, receiptsRootOf } from '#protocol/merkle.ts';
import { JOB_STATUS, receiptHashOf, statementHashOf, type JobStatus } from '#protocol/receipt.ts';
import { packPayee, publishedPairsOf } from '#protocol/terms.ts';
import { collectSources, flatten } from '#circuits/build/source.ts';
import type { CircuitSignals } from '#circuits/settlement-input.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { compileSource } from './compiled.ts';

/** Each template with its inputs and outputs bare. */
const WRAPPER = `
template Probe() {
    signal input order[6];
    signal input key[2];
    signal input lane[4];
    signal input job[11];
    signal input leaf[5];
    signal input pathBits[10];
    signal input siblings[10];
    signal input receipts[4];
    signal input payee[3];
    signal input statement[6];
    signal input pair[3];
    signal output out[13];

    out[0] <== TaggedHash(TAG_ORDER_ID(), 6)(order);
    out[1] <== TaggedHash(TAG_SIGNER_ID(), 2)(key);
    out[2] <== LaneStart()(lane[0], lane[1], lane[2], lane[3]);
    (out[3], out[4]) <== Job()(job[0], job[1], job[2], job[3], job[4], job[5], job[6], job[7], job[8], job[9], job[10]);
    out[5] <== TaggedHash(TAG_ENCLAVE_LEAF(), 5)(leaf);
    out[6] <== EnclaveRoot(10)(out[5], pathBits, siblings);
    out[7] <== ReceiptsRoot(4)(receipts);
    out[8] <== Payee()(payee[0], payee[1], payee[2]);
    out[9] <== TaggedHash(TAG_RUNNING_STATEMENT(), 6)(statement);
    out[10] <== ReceiptsRoot(1)([receipts[0]]);
    (out[11], out[12]) <== PublishedPair()(pair[0], pair[1], pair[2]);
}
component main = Probe();
`;
const SIGNATURE_WRAPPER = `
template Probe() {
    signal input key[2];
    signal input r8[2];
    signal input s;
    signal input message;
    SignatureCheck()(key, r8, s, message);
}
component main = Probe();
`;

const seed = Number(process.env['STUN_SEED'] ?? 20261121);
const field = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n });
const address = fc.bigInt({ min: 0n, max: (1n << 160n) - 1n }).map((value) => fieldToAddress(value));
const unix = fc.integer({ min: 0, max: 2 ** 40 - 1 });
const secret = fc.bigInt({ min: 1n, max: SUBGROUP_ORDER - 1n });

async function probe(wrapper: string): Promise<WitnessCalculator> {
  const library = flatten(await collectSources('circuits/lib/settlement.circom'));
  return WitnessCalculator.load(join(await compileSource(library + wrapper, { level: 'O0', outputs: ['wasm'] }), 'circuit.wasm'));
}

const values = fc.record({
  domain: fc.bigInt({ min: 0n, max: (1n << 248n) - 1n }),
  secret,
  fields: fc.array(field, { minLength: 16, maxLength: 16 }),
  provider: address,
  laneIndex: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  laneOld: fc.oneof(fc.constant(0n), field),
  maxPrice: fc.bigInt({ min: 0n, max: (1n << BigInt(PRICE_BITS)) - 1n }),
  share: fc.integer({ min: 0, max: 1000 }),
  status: fc.constantFrom<JobStatus>('served', 'failed', 'void'),
  startedAtUnix: unix,
  finishedAtUnix: unix,
  expiresAtUnix: unix,
  leafIndex: fc.integer({ min: 0, max: 6 }),
  receipts: fc.array(field, { minLength: 1, maxLength: 4 }),
  count: fc.integer({ min: 1, max: 256 }),
});

describe('circuit templates and the protocol', function () {
  this.timeout(120_000);

  it('compute the same hashes, heads, roots and packings', async () => {
    const calculator = await probe(WRAPPER);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(values, async (v) => {
        const f = v.fields as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
        const key = eddsaPublicKey(v.secret);
        const price = v.status === 'served' ? (v.maxPrice * BigInt(v.share)) / 1000n : 0n;
        const provider = addressToField(v.provider);
        const lane = { orderId: f[0], provider: v.provider, laneIndex: v.laneIndex };
        const demand = { inputCommitment: f[1], maxPrice: v.maxPrice, signerId: f[2] };
        const demandHead = demandHeadOf(f[3], demand);
        const { startedAtUnix, finishedAtUnix, expiresAtUnix, status } = v;
        const receipt = {
          demandHead,
          outputCommitment: f[4],
          price,
          deliveryDigest: f[5],
          status,
          startedAtUnix,
          finishedAtUnix,
        };
        const leaf = { signerId: f[6], policyId: f[7], provider: v.provider, hardwareIdHash: f[8], expiresAtUnix };
        const leaves = v.fields.slice(9);
        leaves[v.leafIndex] = enclaveLeafOf(leaf);
        const tree = enclaveTree(leaves);
        const path = tree.path(v.leafIndex);
        const statement = { fromHead: f[0], toHead: f[1], modelId: f[2], total: v.maxPrice, count: v.count, receiptsRoot: f[3] };
        const signals: CircuitSignals = {
          order: [v.domain, key.x, key.y, f[0], f[1], f[2]],
          key: [key.x, key.y],
          lane: [lane.orderId, provider, BigInt(v.laneIndex), v.laneOld],
          job: [
            1n,
            f[3],
            f[2],
            f[1],
            v.maxPrice,
            f[4],
            price,
            f[5],
            ...[JOB_STATUS[status], startedAtUnix, finishedAtUnix].map(BigInt),
          ],
          leaf: [f[6], f[7], provider, f[8], BigInt(expiresAtUnix)],
          pathBits: path.siblings.map((_, height) => BigInt((path.index >> height) & 1)),
          siblings: [...path.siblings],
          receipts: [0, 1, 2, 3].map((i) => v.receipts[i] ?? 0n),
          payee: [provider, BigInt(startedAtUnix), BigInt(v.laneIndex)],
          statement: [f[0], f[1], f[2], v.maxPrice, BigInt(v.count), f[3]],
          pair: [price, f[4], f[5]],
        };
        const [published] = publishedPairsOf([{ price, inputCommitment: f[4], outputCommitment: f[5] }]);
        const witness = await calculator.calculate(signals);
        assert.deepEqual(witness.slice(1, 14), [
          orderIdOf({ domain: v.domain, demandKey: key, modelId: f[0], policyId: f[1], salt: f[2] }),
          signerIdOf(key),
          v.laneOld === 0n ? laneGenesisOf(lane) : v.laneOld,
          demandHead,
          receiptHashOf(receipt),
          enclaveLeafOf(leaf),
          tree.root,
          receiptsRootOf(v.receipts),
          packPayee({ provider: v.provider, validAtUnix: startedAtUnix, laneIndex: v.laneIndex }),
          statementHashOf(statement),
          receiptsRootOf(v.receipts.slice(0, 1)),
          published!.inputCommitment,
          published!.outputCommitment,
        ]);
        runs++;
      }),
      { seed, numRuns: 40 },
    );
    console.log(`      seed ${seed}, ${runs} runs of 13 values`);
  });

  it('give the same verdict on signatures, right and wrong', async () => {
    const calculator = await probe(SIGNATURE_WRAPPER);
    const verdicts = { accepted: 0, refused: 0 };
    const change = fc.constantFrom<(signature: EddsaSignature) => EddsaSignature>(
      (signature) => signature,
      (signature) => ({ ...signature, s: (signature.s + 1n) % SUBGROUP_ORDER }),
      (signature) => ({ ...signature, s: signature.s + SUBGROUP_ORDER }),
      (signature) => ({ ...signature, r8: { x: signature.r8.x, y: (signature.r8.y + 1n) % FIELD_ORDER } }),
      (signature) => ({ ...signature, r8: { x: (FIELD_ORDER - signature.r8.x) % FIELD_ORDER, y: signature.r8.y } }),
      (signature) => ({ ...signature, r8: toJubPoint(BASE8) }),
    );
    await fc.assert(
      fc.asyncProperty(secret, field, change, async (scalar, message, changed) => {
        const pair = { secret: scalar, publicKey: eddsaPublicKey(scalar) };
        const signature = changed(signEddsa(pair, message));
        const verdictOf = async (judge: () => unknown): Promise<boolean> => {
          try {
            await judge();
            return true;
          } catch (error) {
            assert.ok(error instanceof StunError, String(error));
            assert.ok(['STUN_SIGNATURE', 'STUN_CIRCUIT_UNSATISFIED'].includes(error.code), error.code);
            return false;
          }
        };
        const { x, y } = pair.publicKey;
        const circuit = await verdictOf(() =>
          calculator.calculate({ key: [x, y], r8: [signature.r8.x, signature.r8.y], s: signature.s, message }),
        );
        assert.equal(circuit, await verdictOf(() => verifyEddsa(pair.publicKey, message, signature, 'signature')));
        verdicts[circuit ? 'accepted' : 'refused']++;
      }),
      { seed, numRuns: 60 },
    );
    assert.ok(verdicts.accepted > 0 && verdicts.refused > 0);
    console.log(`      seed ${seed}, ${verdicts.accepted} accepted, ${verdicts.refused} refused`);
  });
});
