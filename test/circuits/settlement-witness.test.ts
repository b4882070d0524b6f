/** What the shipping settlement circuit accepts and refuses through circom's witness program, our own and the constraint system. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BASE8, SUBGROUP_ORDER, toJubPoint } from '#protocol/babyjub.ts';
import { MAX_PRICE } from '#protocol/demand.ts';
import { eddsaPublicKey } from '#protocol/eddsa.ts';
import { poseidon } from '#protocol/poseidon.ts';
import { TAG } from '#protocol/tags.ts';
import { publishedPairsOf, signalListWithPairs } from '#protocol/terms.ts';
import { reduce } from '#circuits/build/field-math.ts';
import { circuitSpec, ensureCircuit, type CircuitName } from '#circuits/manifest.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { witnessBytes } from '#circuits/model/constraints/r1cs-file.ts';
import { settlementInputOf, toCircuitInput, type CircuitSignals } from '#circuits/settlement-input.ts';
import { sampleCases } from '#test/depth.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { assemble, drawDraft, type Draft, type Replacements } from './draft.ts';
import { makeSegment, type SegmentChoice } from './fixtures.ts';
import { nativeWitnessOf } from './native-witness.ts';
import { readSymbols, Rows } from './rows.ts';

const CIRCUIT = circuitSpec('settlement-16');
const N = CIRCUIT.n;
const LAST_UNIX = 2 ** 40 - 1;

describe('settlement-16', function () {
  this.timeout(300_000);
  let rows: Rows;
  let calculator: WitnessCalculator;
  let native: ((signals: CircuitSignals) => Uint8Array) | undefined;

  before(async () => {
    const artefacts = await ensureCircuit(CIRCUIT.name);
    rows = await Rows.read(artefacts.r1csPath);
    calculator = await WitnessCalculator.load(artefacts.wasmPath);
    native = await nativeWitnessOf(artefacts);
  });

  /** By circom's program and by ours, wire by wire the same. */
  async function accepts(signals: CircuitSignals): Promise<bigint[]> {
    const witness = await calculator.calculate(signals);
    assert.deepEqual(rows.violated(witness), []);
    if (native !== undefined) assert.deepEqual(Buffer.from(native(signals)), Buffer.from(witnessBytes(witness)));
    return witness;
  }

  async function refuses(signals: CircuitSignals): Promise<void> {
    await rejectsCode(calculator.calculate(signals), 'STUN_CIRCUIT_UNSATISFIED');
    if (native !== undefined) throwsCode(() => native!(signals), 'STUN_CIRCUIT_UNSATISFIED');
  }

  function honest(seed: string, choice: SegmentChoice): CircuitSignals {
    return toCircuitInput(settlementInputOf(makeSegment(seed, choice).segment), CIRCUIT);
  }

  function drafted(change: (draft: Draft) => void, replace?: Replacements): CircuitSignals {
    const draft = drawDraft('edge');
    change(draft);
    return assemble(draft, CIRCUIT, replace).signals;
  }

  it('accepts any honest segment', async () => {
    const seed = Number(process.env['STUN_SEED'] ?? 20261121);
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.integer({ min: 1, max: N }), fc.boolean(), async (name, count, fresh) => {
        await accepts(honest(name, { count, fresh }));
      }),
      { seed, numRuns: 12 },
    );
    console.log(`      seed ${seed}`);
  });

  const edges: readonly (readonly [string, SegmentChoice])[] = [
    ['the largest price at its limit', { count: N, price: MAX_PRICE, maxPrice: MAX_PRICE }],
    ['price 0 under the largest limit', { count: 2, price: 0n, maxPrice: MAX_PRICE }],
    ['price 0 and limit 0', { count: 1, price: 0n, maxPrice: 0n }],
    ['a lane that never settled', { count: 1, fresh: true }],
    ['a settled lane', { count: 1, fresh: false }],
    ['the last lane index', { count: 1, fresh: true, laneIndex: 2 ** 32 - 1 }],
    ['lane 0', { count: 1, fresh: true, laneIndex: 0 }],
    ['a leaf in its last second', { count: 1, validAtUnix: 1_790_000_000, expiresAtUnix: 1_790_000_001 }],
    ['the last second of all', { count: 1, validAtUnix: LAST_UNIX - 1, expiresAtUnix: LAST_UNIX }],
    ['the first second of all', { count: 1, validAtUnix: 0, expiresAtUnix: LAST_UNIX }],
    ['only served jobs', { count: 3, status: 'served' }],
    ['only failed jobs', { count: 3, status: 'failed' }],
    ['only void jobs', { count: 3, status: 'void' }],
  ];
  for (const [name, choice] of edges) {
    it(`accepts ${name}`, async () => {
      await accepts(honest(name, choice));
    });
  }

  it('accepts a demand key outside the prime-order subgroup that is not of small order: entrances refuse it, the circuit need not', async () => {
    // A + (0, -1) = (-x, -y); 8·A is the same, so a signature with the new key in its challenge holds.
    const secret = 99n;
    const { x, y } = eddsaPublicKey(secret);
    const key = { x: reduce(-x), y: reduce(-y) };
    const draft = drawDraft('mixed order');
    draft.demandPair = { secret, publicKey: key };
    const { heads } = assemble(draft, CIRCUIT);
    const r8 = toJubPoint(BASE8.multiply(7n));
    const h = poseidon(TAG.challenge, [r8.x, r8.y, key.x, key.y, heads.at(-1)!]);
    const demandSignature = { r8, s: (7n + 8n * h * secret) % SUBGROUP_ORDER };
    await accepts(assemble(draft, CIRCUIT, { demandSignature }).signals);
  });

  it('accepts the draft that the refusals below change', async () => {
    await accepts(drafted(() => {}));
  });

  const refusals: readonly (readonly [string, (draft: Draft) => void, Replacements?])[] = [
    ['a price one above its limit', (d) => (d.jobs[0]!.price = d.jobs[0]!.maxPrice + 1n)],
    ['a limit of 2^63 above the price', (d) => (d.jobs[0]!.maxPrice = d.jobs[0]!.price + MAX_PRICE + 1n)],
    ['a price of 2^63', (d) => (d.jobs[0]!.maxPrice = d.jobs[0]!.price = MAX_PRICE + 1n)],
    ['a negative price', (d) => (d.jobs[0]!.price = -1n)],
    ['a served price on a void job', (d) => (d.jobs[0]!.status = 3n)],
    ['a start of 2^34', (d) => (d.jobs[0]!.startedAt = 1n << 34n)],
    ['a finish of 2^34', (d) => (d.jobs[0]!.finishedAt = 1n << 34n)],
    ['status 0', (d) => Object.assign(d.jobs[0]!, { status: 0n, price: 0n })],
    ['status 4', (d) => Object.assign(d.jobs[0]!, { status: 4n, price: 0n })],
    ['validAt equal to expiresAt', (d) => (d.validAt = d.expiresAt)],
    ['validAt after expiresAt', (d) => (d.validAt = d.expiresAt + 1n)],
    ['expiresAt of 2^40', (d) => (d.expiresAt = 1n << 40n)],
    ['a lane index of 2^32', (d) => (d.laneIndex = 1n << 32n)],
    ['a provider of 161 bits', (d) => (d.provider += 1n << 160n)],
    ['the identity as demand key', (d) => (d.demandPair = { secret: 1n, publicKey: { x: 0n, y: 1n } })],
    ['the point of order 2 as receipt key', (d) => (d.receiptPair = { secret: 1n, publicKey: { x: 0n, y: reduce(-1n) } })],
    ['a demand key off the curve', (d) => (d.demandPair = { secret: 1n, publicKey: { x: 1n, y: 1n } })],
    ['a receipt key off the curve', (d) => (d.receiptPair = { secret: 1n, publicKey: { x: 1n, y: 1n } })],
    ['R8 off the curve', () => {}, { demandSignature: { r8: { x: 1n, y: 1n }, s: 1n } }],
    ['R8 of the statement off the curve', () => {}, { statementSignature: { r8: { x: 1n, y: 1n }, s: 1n } }],
    ['S of l', () => {}, { demandSignature: { r8: { x: 0n, y: 1n }, s: SUBGROUP_ORDER } }],
    ['a signature over the head before the last', () => {}, { demandMessage: 1n }],
    ["another customer's orderId", () => {}, { orderId: 5n }],
    ['a total of one more', () => {}, { total: 10n ** 30n }],
    ['a statement over one job less', () => {}, { count: 1n }],
    ['another enclave root', () => {}, { enclaveRoot: 5n }],
    ['a lane that starts somewhere else', () => {}, { fromHead: 5n }],
    ['another payee', () => {}, { payee: 5n }],
  ];
  for (const [name, change, replace] of refusals) {
    it(`refuses ${name}`, async () => {
      await refuses(drafted(change, replace));
    });
  }

  it('depends on every input signal: a changed one breaks the witness', async () => {
    const draft = drawDraft('every input');
    draft.jobs.push({ ...draft.jobs[1]!, active: 0n, price: 0n, maxPrice: 0n });
    // Padding carries numbers nobody reads: the third place stands for it, the first two for jobs.
    const base = assemble(draft, CIRCUIT).signals;
    await accepts(base);
    const free = new Set([
      'inputCommitment',
      'maxPrice',
      'outputCommitment',
      'deliveryDigest',
      'startedAt',
      'finishedAt',
      'status',
    ]);
    let changed = 0;
    for (const [name, value] of Object.entries(base)) {
      const places = Array.isArray(value) ? (value.length === N ? [0, 1] : value.map((_, i) => i)) : [-1];
      for (const place of places) {
        const other = Array.isArray(value) ? value.map((v, i) => (i === place ? reduce(v + 1n) : v)) : reduce(value + 1n);
        await refuses({ ...base, [name]: other });
        changed++;
      }
    }
    for (const name of free) {
      const value = (base[name] as bigint[]).map((v, i) => (i === 2 ? v + 1n : v));
      await accepts({ ...base, [name]: value });
    }
    console.log(`      ${changed} inputs changed`);
  });

  it('refuses to pad a segment without jobs or with too many', () => {
    const input = settlementInputOf(makeSegment('many', { count: 17 }).segment);
    throwsCode(() => toCircuitInput(input, CIRCUIT), 'STUN_CIRCUIT_INPUT');
    throwsCode(() => toCircuitInput({ ...input, jobs: [] }, CIRCUIT), 'STUN_CIRCUIT_INPUT');
    const { segment } = makeSegment('uneven', { count: 2 });
    throwsCode(() => settlementInputOf({ ...segment, demands: segment.demands.slice(1) }), 'STUN_CIRCUIT_INPUT');
  });
});

for (const name of ['settlement-16', 'settlement-proven-16'] satisfies CircuitName[]) {
  describe(`every ${name}`, function () {
    this.timeout(300_000);
    const circuit = circuitSpec(name);
    let rows: Rows;
    let calculator: WitnessCalculator;
    let symPath: string;

    before(async () => {
      const artefacts = await ensureCircuit(name);
      rows = await Rows.read(artefacts.r1csPath);
      calculator = await WitnessCalculator.load(artefacts.wasmPath);
      symPath = artefacts.symPath;
    });

    it('accepts random segments of every size', async () => {
      const sizes = Array.from({ length: N }, (_, i) => i + 1);
      for (const count of circuit.publishedPairs === 0 ? sizes : sampleCases(sizes, 4)) {
        const input = settlementInputOf(makeSegment(`size ${count}`, { count }).segment);
        const witness = await calculator.calculate(toCircuitInput(input, circuit));
        assert.deepEqual(rows.violated(witness), []);
        const expected = signalListWithPairs(input.signals, publishedPairsOf(input.jobs), circuit.publishedPairs);
        assert.deepEqual(witness.slice(1, 1 + expected.length), expected, 'public signals come first, in their order');
      }
    });

    it('leaves no wire free: each one, changed alone, violates a row', async () => {
      const witness = await calculator.calculate(assemble(drawDraft('free wires'), circuit).signals);
      const rowsByWire = rows.rowsByWire();
      const free: number[] = [];
      for (let wire = 1; wire < witness.length; wire++) {
        const before = witness[wire]!;
        witness[wire] = reduce(before + 12345n);
        if (rowsByWire[wire]!.every((row) => rows.holds(row, witness))) free.push(wire);
        witness[wire] = before;
      }
      const names = new Map([...(await readSymbols(symPath))].map(([name, wire]) => [wire, name]));
      // The hint of an inverse: where the number is 0, its inverse is any number.
      // Places 0 and 1 have a price.
      const unpaid = Array.from({ length: circuit.publishedPairs }, (_, i) => `main.pair[${i}].inverse`).slice(2);
      assert.deepEqual(new Set(free.map((wire) => names.get(wire))), new Set(unpaid));
      console.log(`      ${witness.length - 1} wires changed`);
    });
  });
}
