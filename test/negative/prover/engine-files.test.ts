/** Keys and witnesses that our provers must refuse, each with one thing wrong; and random damage, which may not end the process. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { buildBn128 } from 'ffjavascript';
import { FIELD_ORDER } from '#protocol/field.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Groth16Backend } from '#prover/backend.ts';
import { loadNativeAddon } from '#prover/native-addon.ts';
import { nativeBackend } from '#prover/native-backend.ts';
import { WASM_ENGINES, wasmBackend, wasmEngine, type WasmEngine } from '#prover/wasm-backend.ts';
import { loadWasmModules } from '#prover/wasm-modules.ts';
import { SeededRandom } from '#test/circuits/fixtures.ts';
import { depth, sampleCases, sampleSeed } from '#test/depth.ts';
import { root } from '../../../scripts/project-files.ts';
import { rejectsCode, throwsCode } from '#test/unit/assert-code.ts';
import { hasNative } from '#test/unit/prover/engines.ts';
import { littleEndian, randomFactors, smallSystem, witnessFile, type SmallSystem } from '#test/unit/prover/small-systems.ts';

const BASE_FIELD_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const OPTIONS = { threads: 1, memoryLimitMb: 64 };
const VALUES = 11;

/** Where the data of a section begins. */
function sectionAt(file: Buffer, wanted: number): number {
  let offset = 12;
  while (file.readUInt32LE(offset) !== wanted) offset += 12 + Number(file.readBigUInt64LE(offset + 4));
  return offset + 12;
}

type Change = readonly [name: string, apply: (file: Buffer) => Buffer];

/** A change of bytes in place, at a distance from a section's data. */
function put(name: string, section: number, distance: number, write: (file: Buffer, at: number) => unknown): Change {
  return [
    name,
    (file) => {
      write(file, sectionAt(file, section) + distance);
      return file;
    },
  ];
}

const u32 = (value: number) => (file: Buffer, at: number) => file.writeUInt32LE(value, at);
const field = (value: bigint) => (file: Buffer, at: number) => littleEndian([value]).copy(file, at);
const flip = (file: Buffer, at: number): number => (file[at]! ^= 1);

const KEY_CHANGES: readonly Change[] = [
  ['nothing at all', () => Buffer.alloc(0)],
  ['another magic', (file) => Buffer.concat([Buffer.from('ptau'), file.subarray(4)])],
  ['another version', (file) => (file.writeUInt32LE(2, 4), file)],
  ['a section fewer than it says', (file) => (file.writeUInt32LE(11, 8), file)],
  ['a section more than it says', (file) => (file.writeUInt32LE(9, 8), file)],
  ['a byte behind the last section', (file) => Buffer.concat([file, Buffer.alloc(1)])],
  put('a section twice', 3, -12, u32(1)),
  put('an unknown section', 3, -12, u32(99)),
  put('a section longer than the file', 9, -8, (file, at) => file.writeBigUInt64LE(2n ** 63n, at)),
  put('a section whose length wraps around', 9, -8, (file, at) => file.writeBigUInt64LE(2n ** 64n - 1n, at)),
  put('another proof system', 1, 0, u32(2)),
  put('coordinates of another size', 2, 0, u32(48)),
  put('another base field', 2, 4, flip),
  put('scalars of another size', 2, 36, u32(48)),
  put('another scalar field', 2, 40, flip),
  put('a wire more', 2, 72, u32(VALUES + 2)),
  put('no wire', 2, 72, u32(0)),
  put('as many public signals as wires', 2, 76, u32(VALUES + 1)),
  put('a domain of no power of two', 2, 80, u32(12)),
  put('an empty domain', 2, 80, u32(0)),
  put('a domain larger than the field has', 2, 80, u32(2 ** 28)),
  put('a domain half as large', 2, 80, u32(8)),
  put('alpha not on the curve', 2, 84, flip),
  put('beta in G2 not on the curve', 2, 84 + 128, flip),
  put('delta in G2 not on the curve', 2, 84 + 128 + 256 + 64, flip),
  put('more coefficients than it holds', 4, 0, u32(2 ** 31)),
  put('a coefficient of a third matrix', 4, 4, u32(2)),
  put('a coefficient outside the domain', 4, 8, u32(16)),
  put('a coefficient of a row before the last one', 4, 4 + 44 * 20 + 4, u32(0)),
  put('a coefficient of a wire that is not there', 4, 12, u32(VALUES + 1)),
  put('a coefficient of r', 4, 16, field(FIELD_ORDER)),
  ...[5, 6, 8, 9].flatMap((section) => [
    put(`a point of section ${section} not on the curve`, section, 64, (file, at) => file.fill(1, at, at + 64)),
    put(`a coordinate of q in section ${section}`, section, 0, field(BASE_FIELD_ORDER)),
  ]),
  put('a point of G2 not on the twist', 7, 128, (file, at) => file.fill(1, at, at + 128)),
  put('a coordinate of q in G2', 7, 96, field(BASE_FIELD_ORDER)),
];

const WITNESS_CHANGES: readonly Change[] = [
  ['nothing at all', () => Buffer.alloc(0)],
  ['another magic', (file) => Buffer.concat([Buffer.from('zkey'), file.subarray(4)])],
  ['another version', (file) => (file.writeUInt32LE(1, 4), file)],
  ['a byte behind the values', (file) => Buffer.concat([file, Buffer.alloc(1)])],
  put('another field', 1, 4, flip),
  put('values of another size', 1, 0, u32(8)),
  put('a value more than it holds', 1, 36, u32(VALUES + 2)),
  put('no value', 1, 36, u32(0)),
  put('another constant', 2, 0, flip),
  put('a value of r', 2, 32, field(FIELD_ORDER)),
  put('a value of 2^256 - 1', 2, 64, field(2n ** 256n - 1n)),
  ['a witness of a circuit with one wire less', () => witnessFile(Array.from({ length: VALUES }, () => 1n))],
  ['a witness of a circuit with one wire more', () => witnessFile(Array.from({ length: VALUES + 2 }, () => 1n))],
];

async function makeSystem(): Promise<SmallSystem> {
  const random = new SeededRandom('native files');
  const values = Array.from({ length: VALUES }, () => random.field());
  const constraints = randomFactors(random, VALUES + 1, 12);
  return smallSystem(await buildBn128(true), { name: 'small', publicCount: 3, values, constraints });
}

const BACKENDS: readonly (readonly [name: string, make: () => Groth16Backend])[] = [
  ...(hasNative ? [['native', () => nativeBackend()] as const] : []),
  ['wasm', () => wasmBackend(loadWasmModules())],
];

for (const [backendName, make] of BACKENDS) {
  describe(`prover: files that the ${backendName} prover refuses`, function () {
    this.timeout(600_000);
    let system: SmallSystem;
    let backend: Groth16Backend;

    before(async () => {
      system = await makeSystem();
      backend = make();
    });

    it('proves with the files as they are, and says how far it is', async () => {
      const control = new SharedArrayBuffer(8);
      assert.deepEqual((await backend.prove(system.zkey, system.witness, { ...OPTIONS, control })).signals, system.signals);
      assert.deepEqual([...new Int32Array(control)], [0, 4]);
    });

    for (const [name, apply] of KEY_CHANGES) {
      it(`refuses a key with ${name}`, async () => {
        await rejectsCode(backend.prove(apply(Buffer.from(system.zkey)), system.witness, OPTIONS), 'STUN_PROVER_KEY');
      });
    }

    for (const [name, apply] of WITNESS_CHANGES) {
      it(`refuses a witness with ${name}`, async () => {
        await rejectsCode(backend.prove(system.zkey, apply(Buffer.from(system.witness)), OPTIONS), 'STUN_PROOF_WITNESS');
      });
    }

    it('refuses every key and every witness that was cut short', async () => {
      for (const length of sampleCases([...system.zkey.keys()], 100))
        await rejectsCode(backend.prove(system.zkey.slice(0, length), system.witness, OPTIONS), 'STUN_PROVER_KEY');
      for (const length of sampleCases([...system.witness.keys()], 100))
        await rejectsCode(backend.prove(system.zkey, system.witness.slice(0, length), OPTIONS), 'STUN_PROOF_WITNESS');
    });

    it('survives damage at random: a code or a proof, nothing else', async () => {
      const random = new SeededRandom(`${sampleSeed()}/damage`);
      for (let i = 0; i < (depth() === 'full' ? 20_000 : 60); i++) {
        const files = [Uint8Array.from(system.zkey), Uint8Array.from(system.witness)] as const;
        const damaged = files[i % 2]!;
        // Half of the damage goes where the structure is: section headers and the header of the key.
        const reach = i % 4 < 2 ? damaged.length : Math.min(damaged.length, 600);
        damaged[Number(random.below(BigInt(reach)))] = Number(random.below(256n));
        try {
          assert.equal((await backend.prove(files[0], files[1], OPTIONS)).signals.length, 3);
        } catch (error) {
          const code = error instanceof StunError ? error.code : '';
          assert.match(code, /^STUN_PRO(?:VER_KEY|OF_WITNESS|VER_MEMORY)$/, String(error));
        }
      }
    });

    it('stops when its control block says so', async () => {
      const control = new SharedArrayBuffer(8);
      new Int32Array(control)[0] = 1;
      await rejectsCode(backend.prove(system.zkey, system.witness, { ...OPTIONS, control }), 'STUN_PROVER_ABORTED');
    });
  });
}

describe('prover: calls that the WebAssembly prover refuses', () => {
  const engine = (): WasmEngine => wasmEngine(loadWasmModules(), 'portable')!;
  let system: SmallSystem;

  before(async () => {
    system = await makeSystem();
  });

  it('refuses a budget of memory that does not hold the proof, or not even the witness', () => {
    assert.equal(engine().prove(system.zkey, false, system.witness, 100_000), 3);
    throwsCode(() => engine().prove(system.zkey, false, system.witness, 100), 'STUN_PROVER_MEMORY');
  });

  it('says how much memory a proof takes: that is enough, and a tenth less is not', () => {
    for (const name of WASM_ENGINES) {
      const own = wasmEngine(loadWasmModules(), name)!;
      const emptyBytes = own.memory().length;
      const neededBytes = own.memoryNeeded(system.zkey) - emptyBytes;
      assert.equal(own.prove(system.zkey, false, system.witness, Math.floor(0.9 * neededBytes)), 3, name);
      assert.equal(typeof own.prove(system.zkey, false, system.witness, neededBytes), 'object', name);
      assert.ok(own.memory().length <= emptyBytes + neededBytes + 2 ** 16, name);
      own.drop();
      assert.equal(own.memory().length, emptyBytes, name);
      throwsCode(() => own.memoryNeeded(system.zkey.subarray(1)), 'STUN_PROVER_KEY');
    }
  });

  it('leaves nothing of a witness in its memory, whatever came of it', () => {
    // After 76 bytes of headers and the constant 1.
    const secrets = Array.from({ length: VALUES }, (_, i) => Buffer.from(system.witness.subarray(108 + 32 * i, 140 + 32 * i)));
    for (const key of [system.zkey, system.zkey.slice(0, -1), Uint8Array.from(system.zkey).fill(1, 2500)]) {
      const own = engine();
      own.prove(key, false, system.witness, 2 ** 26);
      const memory = Buffer.from(own.memory());
      assert.ok(memory.length > 2 ** 20);
      assert.deepEqual(
        secrets.filter((secret) => memory.includes(secret)),
        [],
      );
    }
  });

  it('starts anew after a call that broke', () => {
    const own = engine();
    const broken = { length: 4000 } as Uint8Array;
    assert.throws(() => own.prove(broken, false, system.witness, 2 ** 26), TypeError);
    assert.equal(typeof own.prove(system.zkey, false, system.witness, 2 ** 26), 'object');
  });

  it('takes no engine that the modules do not have', () => {
    throwsCode(() => wasmBackend({}), 'STUN_CONFIG');
    throwsCode(() => wasmBackend({ fma: Uint8Array.of(0, 97, 115, 109) }), 'STUN_CONFIG');
  });
});

describe('prover: calls that the native addon refuses', function () {
  this.timeout(600_000);
  let system: SmallSystem;

  before(async function () {
    if (!hasNative) this.skip();
    system = await makeSystem();
  });

  if (depth() === 'full') {
    it('survives damage under AddressSanitizer', () => {
      const args = ['--no-warnings', 'scripts/fuzz-native.ts', '--rounds', '5000', '--seed', String(sampleSeed())];
      const done = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
      assert.equal(done.status, 0, done.stderr);
    });
  }

  it('refuses a budget of memory that does not hold the proof', async () => {
    const addon = loadNativeAddon();
    const key = addon.openKey(system.zkey, 'portable', false, 64);
    assert.ok(typeof key === 'object');
    const all = [system.witness, new Uint8Array(128), new Uint8Array(8)] as const;
    assert.equal(addon.prove(key, ...all, 200, 1), 3);
  });

  it('says how much memory a proof takes: that is enough, and a megabyte less is not', () => {
    const addon = loadNativeAddon();
    for (const engine of addon.engineNames()) {
      const key = addon.openKey(system.zkey, engine, false, 64);
      assert.ok(typeof key === 'object');
      assert.ok(addon.keyMemory(key) > 0);
      for (const threads of [8, 16, 32]) {
        const neededMb: number = addon.proofMemory(key, threads) / 2 ** 20;
        assert.ok(neededMb > 1);
        const answer = (budgetMb: number): unknown =>
          addon.prove(key, system.witness, new Uint8Array(128), new Uint8Array(8), threads, budgetMb);
        assert.equal(typeof answer(Math.ceil(neededMb)), 'object', `${engine}, ${threads} threads`);
        assert.equal(answer(Math.ceil(neededMb) - 1), 3, `${engine}, ${threads} threads`);
      }
      for (const threads of [0, 257]) assert.equal(addon.proofMemory(key, threads), 5);
      assert.equal(addon.keyMemory({} as never), 5);
    }
  });

  it('takes no argument of another kind', () => {
    const addon = loadNativeAddon();
    const key = addon.openKey(system.zkey, 'portable', false, 64) as never;
    const block = new Uint8Array(8);
    const bad = (...args: unknown[]): void => assert.equal(Reflect.apply(addon.prove, addon, args), 5);
    bad({}, system.witness, new Uint8Array(128), block, 1, 64);
    bad(key, 'witness', new Uint8Array(128), block, 1, 64);
    bad(key, system.witness, new Uint8Array(127), block, 1, 64);
    bad(key, system.witness, new Uint8Array(128), new Uint8Array(7), 1, 64);
    for (const threads of [0, 257, 1.5, Number.NaN, '1']) bad(key, system.witness, new Uint8Array(128), block, threads, 64);
    bad(key, system.witness, new Uint8Array(128), block, 1, 0);
    assert.equal(addon.openKey(system.zkey, 'none', false, 64), 5);
    throwsCode(() => nativeBackend('none'), 'STUN_CONFIG');
  });
});
