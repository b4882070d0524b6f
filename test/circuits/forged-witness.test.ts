/**
 * Each constraint of the settlement circuit, attacked: a forged witness with every dependent wire recomputed violates the
 * shipping constraint system (16 jobs, O2, exactly the rows whose key is made), and the only rows of the source's own system
 * that stand against it are those of the attacked constraint: without them it is accepted.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '#circuits/build/source.ts';
import { circuitSpec, ensureCircuit, type CircuitName } from '#circuits/manifest.ts';
import type { CircuitSignals } from '#circuits/settlement-input.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { depth } from '#test/depth.ts';
import { attackerSource, honestSource, TAMPER } from './attacker-source.ts';
import { compileSource } from './compiled.ts';
import { assemble, drawDraft } from './draft.ts';
import { forge, forgeries, type Forgery } from './forgeries.ts';
import { publishingForgeries } from './publishing-forgeries.ts';
import { readSymbols, Rows } from './rows.ts';
import { signatureForgeries } from './signature-forgeries.ts';
import { wireForgeries } from './wire-forgeries.ts';

/** Each source of the circuits by its name. */
function sources(): (readonly [name: string, text: string])[] {
  const folder = join(REPOSITORY_ROOT, 'circuits', 'lib');
  return readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')] as const);
}

/** Labels in the sources, `[3.payee]` in a comment. */
function labelsOfSources(): Set<string> {
  const labels = sources().flatMap(([, text]) => [...text.matchAll(/\/\/ \[(\d+\.[a-z0-9-]+)\]$/gm)].map((match) => match[1]!));
  return new Set(labels);
}

/** Attacks a circuit with each of the forgeries. */
function forgedWitnesses(name: CircuitName, attacks: readonly Forgery[]): void {
  const circuit = circuitSpec(name);
  const perPlace: Readonly<Record<string, number>> = { tamperJob: circuit.n, tamperPair: circuit.publishedPairs };
  const noTamper: CircuitSignals = Object.fromEntries(
    Object.entries(TAMPER).map(([input, length]) => [input, new Array<bigint>(length * (perPlace[input] ?? 1)).fill(0n)]),
  );
  let shipping: Rows;
  let source: Rows;
  let calculator: WitnessCalculator;
  /** For each wire of a system, the wire of the attacker's calculator that holds its value. */
  let shippingWires: number[];
  let sourceWires: number[];
  let sourceNames: string[][];

  before(async () => {
    const artefacts = await ensureCircuit(name);
    const honest = await compileSource(await honestSource(circuit.main), { level: 'O0', outputs: ['r1cs', 'sym'] });
    const attacker = await compileSource(await attackerSource(circuit.main), { level: 'O0', outputs: ['wasm', 'sym'] });
    shipping = await Rows.read(artefacts.r1csPath);
    source = await Rows.read(join(honest, 'circuit.r1cs'));
    calculator = await WitnessCalculator.load(join(attacker, 'circuit.wasm'));
    const attackerWires = await readSymbols(join(attacker, 'circuit.sym'));
    const layOver = (symbols: Map<string, number>, wireCount: number): number[] => {
      const wires = new Array<number>(wireCount).fill(-1);
      wires[0] = 0;
      for (const [signal, wire] of symbols) wires[wire] = attackerWires.get(signal) ?? assert.fail(`no signal ${signal}`);
      assert.equal(wires.indexOf(-1), -1, 'every wire has a name');
      return wires;
    };
    shippingWires = layOver(await readSymbols(artefacts.symPath), shipping.r1cs.wireCount);
    const sourceSymbols = await readSymbols(join(honest, 'circuit.sym'));
    sourceWires = layOver(sourceSymbols, source.r1cs.wireCount);
    sourceNames = Array.from({ length: source.r1cs.wireCount }, () => []);
    for (const [signal, wire] of sourceSymbols) sourceNames[wire]!.push(signal);
  });

  async function witnesses(signals: CircuitSignals, tamper: CircuitSignals): Promise<{ shipping: bigint[]; source: bigint[] }> {
    const all = await calculator.calculate({ ...signals, ...noTamper, ...tamper });
    return { shipping: shippingWires.map((wire) => all[wire]!), source: sourceWires.map((wire) => all[wire]!) };
  }

  function namesOfRow(row: number): Set<string> {
    return new Set([...source.wiresOf(row)].flatMap((wire) => sourceNames[wire]!));
  }

  it('accepts the honest segment in both systems', async () => {
    const { signals } = assemble(drawDraft('honest'), circuit);
    const witness = await witnesses(signals, {});
    assert.deepEqual(source.violated(witness.source), []);
    assert.ok(shipping.accepts(witness.shipping));
  });

  for (const [i, forgery] of attacks.entries()) {
    it(`[${forgery.labels.join(', ')}] refuses who ${forgery.gain}`, async () => {
      const { signals, tamper } = forge(forgery, drawDraft(`forgery ${i}`), circuit);
      const witness = await witnesses(signals, tamper);
      assert.ok(!shipping.accepts(witness.shipping), 'the shipping system must refuse');
      const violated = source.violated(witness.source);
      assert.ok(
        violated.some((row) => forgery.rows(namesOfRow(row))),
        'the attacked constraint must refuse',
      );
      const others = violated.map(namesOfRow).filter((names) => !forgery.rows(names) && !forgery.besides?.(names));
      assert.deepEqual(
        others.map((names) => [...names].join(' ')),
        [],
        'without the attacked constraint it must be accepted',
      );
    });
  }
}

describe('forged witnesses', function () {
  this.timeout(600_000);
  const settling = [...forgeries, ...wireForgeries, ...signatureForgeries];
  const all = [...settling, ...publishingForgeries];

  it('has a forgery for every labelled constraint, and no other label', () => {
    const tested = new Set(all.flatMap((forgery) => forgery.labels));
    assert.deepEqual([...tested].sort(), [...labelsOfSources()].sort());
    console.log(`      ${tested.size} constraints, ${all.length} forgeries`);
  });

  it('meets a label at every assertion and every hint', () => {
    const unlabelled: string[] = [];
    let found = 0;
    for (const [file, text] of sources()) {
      // A gadget's assertions go by the labels of those who use it: its rows are all that a forgery may violate.
      if (file === 'range.circom') continue;
      const lines = text.split('\n');
      for (const [i, line] of lines.entries()) {
        if (!/^[^/]*(?:===|<--)/.test(line)) continue;
        found++;
        // A hint may stand above the assertion that holds it.
        if (!lines.slice(i, i + 2).some((next) => /\/\/ \[[\d.a-z-]+\]$/.test(next))) unlabelled.push(`${file}: ${line.trim()}`);
      }
    }
    assert.deepEqual(unlabelled, []);
    assert.ok(found >= 20, `${found} lines`);
  });

  describe('of settlement-16', () => forgedWitnesses('settlement-16', settling));
  // The other forgeries meet the same templates there; the full run meets them again.
  describe('of settlement-proven-16', () =>
    forgedWitnesses('settlement-proven-16', depth() === 'full' ? all : publishingForgeries));
});
