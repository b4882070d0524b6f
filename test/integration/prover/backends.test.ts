/** Every backend on small systems of every shape, against snarkjs' verifier and our own. */
import assert from 'node:assert/strict';
import { buildBn128, type Bn128 } from 'ffjavascript';
import { groth16 } from 'snarkjs';
import { FIELD_ORDER } from '#protocol/field.ts';
import type { Groth16Backend, MadeProof } from '#prover/backend.ts';
import { chooseBackends } from '#prover/backends.ts';
import { verifyGroth16 } from '#prover/verify-groth16.ts';
import { SeededRandom } from '#test/circuits/fixtures.ts';
import { sampleCases, sampleSeed } from '#test/depth.ts';
import { allEngineBackends, hasNative } from '#test/unit/prover/engines.ts';
import { randomFactors, smallSystem, type Factors, type SystemChoice } from '#test/unit/prover/small-systems.ts';

const OPTIONS = { threads: 1, memoryLimitMb: 256 };
const LAST = FIELD_ORDER - 1n;

function randomSystem(name: string, publicCount: number, wires: number, constraints: number, value?: bigint): SystemChoice {
  const random = new SeededRandom(`${sampleSeed()}/${name}`);
  return {
    name,
    publicCount,
    values: Array.from({ length: wires - 1 }, () => value ?? random.field()),
    constraints: randomFactors(random, wires, constraints),
  };
}

/** Wires of one column and of opposite columns, whose points in the key are equal and opposite, and wires in no constraint. */
function twins(): SystemChoice {
  const same: Factors = [
    new Map([
      [1, 5n],
      [2, 5n],
      [3, LAST - 4n],
    ]),
    new Map([
      [1, 7n],
      [2, 7n],
      [3, LAST - 6n],
    ]),
  ];
  return {
    name: 'equal and opposite points, and wires in no constraint',
    publicCount: 1,
    values: [3n, 3n, 3n, 9n, LAST],
    constraints: [same, same, same],
  };
}

/** Domains from 2^1 up: rows are constraints, public signals and the constant. */
const SYSTEMS: readonly SystemChoice[] = [
  randomSystem('a domain of two rows', 0, 2, 1),
  randomSystem('a domain of four rows, full', 1, 4, 2),
  randomSystem('no public signal', 0, 12, 9),
  randomSystem('32 public signals', 32, 60, 31),
  randomSystem('a domain one row too large', 3, 40, 61),
  randomSystem('a witness of zeros', 2, 20, 15, 0n),
  randomSystem('a witness of ones', 2, 20, 15, 1n),
  randomSystem('a witness of r - 1', 2, 20, 15, LAST),
  {
    ...randomSystem('a sparse witness', 1, 50, 40),
    values: Array.from({ length: 49 }, (_, i) => (i % 17 === 0 ? LAST / 2n : 0n)),
  },
  twins(),
  randomSystem('some hundred random constraints', 8, 300, 400),
];

function forSnarkjs({ a, b, c }: MadeProof): Parameters<typeof groth16.verify>[2] {
  const decimal = (hex: string): string => BigInt(hex).toString();
  const twisted = ([c1, c0]: readonly [string, string]): string[] => [decimal(c0), decimal(c1)];
  return {
    pi_a: [...a.map(decimal), '1'],
    pi_b: [twisted(b[0]), twisted(b[1]), ['1', '0']],
    pi_c: [...c.map(decimal), '1'],
    protocol: 'groth16',
    curve: 'bn128',
  };
}

describe('prover: backends', function () {
  this.timeout(600_000);
  let curve: Bn128;
  let backends: readonly Groth16Backend[];

  before(async () => {
    curve = await buildBn128(true);
    const chosen = chooseBackends('auto');
    // snarkjs first: what verifies with it later then shares its curve, and leaves no threads behind.
    backends = [...chosen.backends.filter(({ name }) => name === 'snarkjs'), ...allEngineBackends()];
    assert.equal(backends[0]?.name, 'snarkjs');
    if (hasNative) assert.deepEqual(chosen.unavailable, {});
  });

  for (const choice of sampleCases(SYSTEMS, 5)) {
    it(`all prove ${choice.name}, each time otherwise`, async () => {
      const { zkey, witness, verificationKey, signals } = await smallSystem(curve, choice);
      for (const backend of backends) {
        const label = `${backend.name} ${backend.engine}`;
        const made = await backend.prove(zkey, witness, OPTIONS);
        assert.deepEqual(made.signals, signals, label);
        assert.equal(verifyGroth16(verificationKey, made, signals), signals, label);
        const again = await backend.prove(zkey, witness, { ...OPTIONS, threads: 8 });
        verifyGroth16(verificationKey, again, signals);
        assert.ok(
          again.a[0] !== made.a[0] && again.b[0][0] !== made.b[0][0] && again.c[0] !== made.c[0],
          `${label} repeats itself`,
        );
        const decimal = signals.map((signal) => signal.toString());
        assert.equal(await groth16.verify(verificationKey, decimal, forSnarkjs(made)), true, label);
      }
    });
  }
});
