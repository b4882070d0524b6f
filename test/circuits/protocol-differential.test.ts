/** The circuit's templates against the protocol's functions, on random values: same hashes, packings, roots and verdicts. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { BASE8, SUBGROUP_ORDER, toJubPoint, type JubPoint } from '#protocol/babyjub.ts';
import { enclaveLeafOf, signerIdOf } from '#protocol/commitments.ts';
import { demandHeadOf, laneGenesisOf, MAX_PRICE, orderIdOf } from '#protocol/demand.ts';
import { eddsaPublicKey, isProvable, signEddsa, verifyEddsa, type EddsaKeyPair, type EddsaSignature } from '#protocol/eddsa.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { addressToField, FIELD_ORDER, fieldToAddress } from '#protocol/field.ts';
import { enclaveTree, receiptsRootOf } from '#protocol/merkle.ts';
import { poseidon } from '#protocol/poseidon.ts';
import { JOB_STATUS, receiptHashOf, statementHashOf, type JobStatus } from '#protocol/receipt.ts';
import { TAG } from '#protocol/tags.ts';
import { packPayee, publishedPairsOf } from '#protocol/terms.ts';
import { collectSources, flatten } from '#circuits/build/source.ts';
import type { CircuitSignals } from '#circuits/settlement-input.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { jubSum, smallOrderPoints } from '#test/unit/protocol/small-order.ts';
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

const RANGE_WRAPPER = `
template Probe() {
    signal input challenge[64];
    signal input response[64];
    BitsBelow(64, -1 >> 190)(challenge);
    BitsBelow(64, SUBGROUP_ORDER() >> 187)(response);
}
component main = Probe();
`;

const IDENTITY: JubPoint = { x: 0n, y: 1n };
const seed = Number(process.env['STUN_SEED'] ?? 20261121);
const field = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n });
const address = fc.bigInt({ min: 0n, max: (1n << 160n) - 1n }).map((value) => fieldToAddress(value));
const unix = fc.integer({ min: 0, max: 2 ** 40 - 1 });
const jobTime = fc.integer({ min: 0, max: 2 ** 34 - 1 });
const secret = fc.bigInt({ min: 1n, max: SUBGROUP_ORDER - 1n });

/** Whether somebody takes something, or refuses it as a signature. */
async function verdictOf(judge: () => unknown): Promise<boolean> {
  try {
    await judge();
    return true;
  } catch (error) {
    assert.ok(error instanceof StunError, String(error));
    assert.match(error.code, /^STUN_(?:SIGNATURE|CIRCUIT_UNSATISFIED|KEY_SMALL_ORDER|KEY_NOT_ON_CURVE)$/);
    return false;
  }
}

function acceptedBy(circuit: WitnessCalculator, key: JubPoint, message: bigint, { r8, s }: EddsaSignature): Promise<boolean> {
  return verdictOf(() => circuit.calculate({ key: [key.x, key.y], r8: [r8.x, r8.y], s, message }));
}

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
  maxPrice: fc.bigInt({ min: 0n, max: MAX_PRICE }),
  share: fc.integer({ min: 0, max: 1000 }),
  status: fc.constantFrom<JobStatus>('served', 'failed', 'void'),
  startedAtUnix: jobTime,
  finishedAtUnix: jobTime,
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
    const [, order8, order4, , order2] = smallOrderPoints();
    /** A signature as the equation wants it, with the nonce given. */
    const signedWith = ({ secret, publicKey }: EddsaKeyPair, message: bigint, nonce: bigint): EddsaSignature => {
      const r8 = nonce === 0n ? IDENTITY : toJubPoint(BASE8.multiply(nonce));
      const h = poseidon(TAG.challenge, [r8.x, r8.y, publicKey.x, publicKey.y, message]);
      return { r8, s: (nonce + 8n * h * secret) % SUBGROUP_ORDER };
    };
    const withKey = (key: JubPoint, pair: EddsaKeyPair): EddsaKeyPair => ({ ...pair, publicKey: key });
    type Case = readonly [key: EddsaKeyPair, signature: EddsaSignature];
    const cases: readonly ((pair: EddsaKeyPair, message: bigint) => Case)[] = [
      (pair, message) => [pair, signEddsa(pair, message)],
      (pair, message) => [pair, signedWith(pair, message, 1n)],
      (pair, message) => [pair, signedWith(pair, message, 0n)],
      ...[1n, -1n, SUBGROUP_ORDER, -SUBGROUP_ORDER, 2n ** 251n, -(2n ** 200n)].map(
        (added) =>
          (pair: EddsaKeyPair, message: bigint): Case => {
            const { r8, s } = signEddsa(pair, message);
            return [pair, { r8, s: (s + added + FIELD_ORDER) % FIELD_ORDER }];
          },
      ),
      ...[
        ({ x, y }: JubPoint) => ({ x, y: (y + 1n) % FIELD_ORDER }),
        ({ x, y }: JubPoint) => ({ x: (FIELD_ORDER - x) % FIELD_ORDER, y }),
        (r8: JubPoint) => jubSum(r8, order2!),
        (r8: JubPoint) => jubSum(r8, order8!),
        () => toJubPoint(BASE8),
        () => IDENTITY,
      ].map((change) => (pair: EddsaKeyPair, message: bigint): Case => {
        const { r8, s } = signEddsa(pair, message);
        return [pair, { r8: change(r8), s }];
      }),
      (pair, message) => [pair, signEddsa({ ...pair, secret: (pair.secret % 1000n) + 1n }, message)],
      ...[IDENTITY, order2!, order4!, order8!].map((key) => (pair: EddsaKeyPair, message: bigint): Case => {
        // Whatever the secret, h·8·A is the identity.
        const small = withKey(key, { ...pair, secret: 0n });
        return [small, signedWith(small, message, 5n)];
      }),
      (pair, message) => [withKey({ x: 2n, y: 3n }, pair), signEddsa(pair, message)],
    ];
    await fc.assert(
      fc.asyncProperty(secret, field, async (scalar, message) => {
        for (const made of cases) {
          const [pair, signature] = made({ secret: scalar, publicKey: eddsaPublicKey(scalar) }, message);
          const circuit = await acceptedBy(calculator, pair.publicKey, message, signature);
          assert.equal(circuit, await verdictOf(() => verifyEddsa(pair.publicKey, message, signature, 'signature')));
          verdicts[circuit ? 'accepted' : 'refused']++;
        }
        // The one difference: a key with a part of small order, which no entrance of the protocol takes.
        const pair = { secret: scalar, publicKey: jubSum(eddsaPublicKey(scalar), order8!) };
        const signature = signedWith(pair, message, 7n);
        assert.ok(await acceptedBy(calculator, pair.publicKey, message, signature));
        throwsCode(() => verifyEddsa(pair.publicKey, message, signature, 'it'), 'STUN_KEY_NOT_IN_SUBGROUP');
      }),
      { seed, numRuns: 6 },
    );
    assert.ok(verdicts.accepted > 0 && verdicts.refused > 0);
    console.log(`      seed ${seed}, ${verdicts.accepted} accepted, ${verdicts.refused} refused`);
  });

  it('bound the leading bits of challenge and response alike', async () => {
    const calculator = await probe(RANGE_WRAPPER);
    const [r, l] = [FIELD_ORDER >> 190n, SUBGROUP_ORDER >> 187n];
    const near = (bound: bigint): bigint[] => [
      0n,
      bound - 1n,
      bound,
      bound + 1n,
      2n ** 64n - 1n,
      // With one bit of the bound turned: below where it was 1, above where it was 0.
      ...Array.from({ length: 64 }, (_, bit) => bound ^ (1n << BigInt(bit))),
    ];
    let runs = 0;
    for (const [challenge, response] of [
      ...near(r).map((top) => [top, 0n] as const),
      ...near(l).map((top) => [0n, top] as const),
    ]) {
      const bitsOf = (top: bigint): bigint[] => Array.from({ length: 64 }, (_, bit) => (top >> BigInt(bit)) & 1n);
      const circuit = await verdictOf(() => calculator.calculate({ challenge: bitsOf(challenge), response: bitsOf(response) }));
      assert.equal(circuit, isProvable(challenge << 190n, response << 187n), `${challenge} ${response}`);
      runs++;
    }
    console.log(`      ${runs} numbers`);
  });
});
