/** The generated Solidity verifiers in an EVM: what they accept, what they refuse, what they cost, and that they are current. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bn128 } from 'ffjavascript';
import { Interface } from 'ethers';
import { network } from 'hardhat';
import { groth16 } from 'snarkjs';
import { FIELD_ORDER } from '#protocol/field.ts';
import { publicSignalNames } from '#protocol/terms.ts';
import { compileVerifier } from '#circuits/ceremony/compile-verifier.ts';
import { assertCurrent, solidityVerifier, type VerifierDescription } from '#circuits/build/solidity-verifier.ts';
import { REPOSITORY_ROOT } from '#circuits/build/source.ts';
import type { VerificationKey } from '#circuits/build/verification-key.ts';
import { BASE_FIELD_ORDER } from '#circuits/build/zkey-format.ts';
import {
  CIRCUIT_NAMES,
  circuitSpec,
  ensureCircuit,
  loadManifest,
  type CircuitArtefacts,
  type CircuitName,
} from '#circuits/manifest.ts';
import { settlementInputOf, toCircuitInput } from '#circuits/settlement-input.ts';
import { WitnessCalculator } from '#circuits/witness-calculator.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { makeSegment } from './fixtures.ts';

/** Execution gas of the verifier that snarkjs 0.7.6 exports for eight signals. */
const SNARKJS_EXECUTION_GAS = 234_572;

/** Arguments of verifyProof. */
interface Call {
  a: bigint[];
  b: bigint[][];
  c: bigint[];
  signals: bigint[];
}

type Provider = Awaited<ReturnType<typeof network.connect>>['provider'];

async function compile(contract: string, source: string): Promise<{ abi: Interface; bytecode: string }> {
  const { abi, bytecode } = await compileVerifier(contract, source);
  return { abi: new Interface(JSON.stringify(abi)), bytecode };
}

/** Calldata of a proof of five jobs. */
async function proveCall(artefacts: CircuitArtefacts): Promise<Call> {
  const input = settlementInputOf(makeSegment('verifier', { count: 5 }).segment);
  const calculator = await WitnessCalculator.load(artefacts.wasmPath);
  const witness = await calculator.calculateFile(toCircuitInput(input, artefacts));
  const { proof, publicSignals } = await groth16.prove(artefacts.zkeyPath, witness);
  const numbers = (values: readonly string[]): bigint[] => values.slice(0, 2).map(BigInt);
  return {
    a: numbers(proof.pi_a),
    b: proof.pi_b.slice(0, 2).map((pair) => numbers(pair).reverse()),
    c: numbers(proof.pi_c),
    signals: publicSignals.map(BigInt),
  };
}

describe('Solidity verifiers', function () {
  this.timeout(600_000);
  let provider: Provider;
  let from: string;
  let artefacts: CircuitArtefacts;
  let abi: Interface;
  let verifier: string;
  let valid: Call;

  async function receiptOf(transaction: object): Promise<{ contractAddress: string; gasUsed: string; status: string }> {
    const hash = await provider.request({ method: 'eth_sendTransaction', params: [{ from, gas: '0xf00000', ...transaction }] });
    return (await provider.request({ method: 'eth_getTransactionReceipt', params: [hash] })) as never;
  }

  async function ask(name: string, args: readonly unknown[] = []): Promise<unknown> {
    const data = abi.encodeFunctionData(name, args);
    const result = await provider.request({ method: 'eth_call', params: [{ from, to: verifier, data, gas: '0xf00000' }] });
    return abi.decodeFunctionResult(name, result as string)[0];
  }

  async function verifies(change: (call: Call) => void): Promise<boolean> {
    const call = structuredClone(valid);
    change(call);
    return (await ask('verifyProof', [call.a, call.b, call.c, call.signals])) as boolean;
  }

  async function deployCommitted(name: CircuitName): Promise<{ abi: Interface; verifier: string }> {
    const contract = circuitSpec(name).verifier;
    const source = await readFile(join(REPOSITORY_ROOT, 'contracts', 'verifiers', `${contract}.sol`), 'utf8');
    const compiled = await compile(contract, source);
    return { abi: compiled.abi, verifier: (await receiptOf({ data: compiled.bytecode })).contractAddress };
  }

  /** Execution gas of a call and gas of its transaction. */
  async function gasOf({ a, b, c, signals }: Call): Promise<{ execution: number; transaction: number }> {
    const data = abi.encodeFunctionData('verifyProof', [a, b, c, signals]);
    const transaction = Number((await receiptOf({ to: verifier, data })).gasUsed);
    const calldata = Buffer.from(data.slice(2), 'hex').reduce((gas, byte) => gas + (byte === 0 ? 4 : 16), 0);
    return { execution: transaction - 21_000 - calldata, transaction };
  }

  function describeVerifier(): VerifierDescription {
    return {
      contract: 'Settlement16Verifier',
      circuit: circuitSpec('settlement-16').main,
      settlement: { n: 16, publishedPairs: 0 },
      sourceHash: 'test',
      signals: publicSignalNames(0),
      setup: 'development',
    };
  }

  before(async () => {
    artefacts = await ensureCircuit('settlement-16');
    valid = await proveCall(artefacts);
    ({ provider } = await network.connect());
    [from] = (await provider.request({ method: 'eth_accounts' })) as [string];
    ({ abi, verifier } = await deployCommitted('settlement-16'));
  });

  after(async () => {
    await (globalThis as { curve_bn128?: Bn128 | null }).curve_bn128?.terminate();
  });

  it('accepts a proof, and says what it is', async () => {
    assert.equal(await verifies(() => {}), true);
    assert.equal(await ask('DEVELOPMENT'), true);
    assert.equal(await ask('VK_HASH'), artefacts.vkHash);
    assert.equal(await ask('N'), 16n);
  });

  it('costs no more than the verifier of snarkjs', async () => {
    const { execution, transaction } = await gasOf(valid);
    console.log(`      ${execution} gas for the call, ${transaction} for the transaction`);
    assert.ok(execution <= SNARKJS_EXECUTION_GAS);
  });

  it('refuses every changed signal, and every signal in its second form', async () => {
    for (let i = 0; i < 8; i++) {
      assert.equal(await verifies((call) => (call.signals[i]! += 1n)), false, `signal ${i} plus 1`);
      assert.equal(await verifies((call) => (call.signals[i]! += FIELD_ORDER)), false, `signal ${i} plus r`);
    }
    assert.equal(await verifies((call) => (call.signals[0] = 2n ** 256n - 1n)), false);
    assert.equal(await verifies((call) => call.signals.reverse()), false);
  });

  it('refuses every changed coordinate, and every coordinate in its second form', async () => {
    const places: ((call: Call) => bigint[])[] = [(call) => call.a, (call) => call.b[0]!, (call) => call.b[1]!, (call) => call.c];
    for (const [i, place] of places.entries()) {
      for (const j of [0, 1]) {
        assert.equal(await verifies((call) => (place(call)[j]! += 1n)), false, `${i}.${j} plus 1`);
        assert.equal(await verifies((call) => (place(call)[j]! += BASE_FIELD_ORDER)), false, `${i}.${j} plus q`);
      }
    }
  });

  it('refuses points at infinity, exchanged points and a negated point', async () => {
    assert.equal(await verifies((call) => (call.a = [0n, 0n])), false);
    assert.equal(await verifies((call) => (call.c = [0n, 0n])), false);
    assert.equal(
      await verifies(
        (call) =>
          (call.b = [
            [0n, 0n],
            [0n, 0n],
          ]),
      ),
      false,
    );
    assert.equal(await verifies((call) => ([call.a, call.c] = [call.c, call.a])), false);
    assert.equal(await verifies((call) => (call.a[1] = BASE_FIELD_ORDER - call.a[1]!)), false);
  });

  it('accepts a malleated proof: replay protection must rest on the lane state, never on the proof', async () => {
    const negated = (call: Call): void => {
      call.a[1] = BASE_FIELD_ORDER - call.a[1]!;
      call.b[1] = call.b[1]!.map((coordinate) => BASE_FIELD_ORDER - coordinate);
    };
    assert.equal(await verifies(negated), true);
  });

  it('refuses the forgery that every key without a contribution accepts', async () => {
    const { vk_alpha_1: alpha, vk_beta_2: beta, IC } = artefacts.verificationKey;
    // With all signals 0, vk_x is IC[0]; A = alpha, B = beta, C = -vk_x.
    const forged = (call: Call): void => {
      call.signals = new Array<bigint>(8).fill(0n);
      call.a = [BigInt(alpha[0]), BigInt(alpha[1])];
      call.b = beta.slice(0, 2).map(([c0, c1]) => [BigInt(c1), BigInt(c0)]);
      call.c = [BigInt(IC[0]![0]), BASE_FIELD_ORDER - BigInt(IC[0]![1])];
    };
    assert.equal(await verifies(forged), false);
    const forgeable: VerificationKey = { ...artefacts.verificationKey, vk_delta_2: artefacts.verificationKey.vk_gamma_2 };
    throwsCode(() => solidityVerifier(forgeable, describeVerifier()), 'STUN_CIRCUIT_FORGEABLE_KEY');

    // The generator refuses such a key; the contract with one, made by hand, does accept the forgery: the test has teeth.
    const [gamma, delta] = [artefacts.verificationKey.vk_gamma_2, artefacts.verificationKey.vk_delta_2].map((point) =>
      point.slice(0, 2).flatMap(([c0, c1]) => [c1, c0].map((word) => `0x${BigInt(word).toString(16).padStart(64, '0')}`)),
    );
    let source = solidityVerifier(artefacts.verificationKey, describeVerifier());
    for (const [i, word] of delta!.entries()) source = source.replace(word, gamma![i]!);
    const compiled = await compile('Settlement16Verifier', source);
    const honest = verifier;
    verifier = (await receiptOf({ data: compiled.bytecode })).contractAddress;
    assert.equal(await verifies(forged), true);
    verifier = honest;
  });

  it('accepts a proof that publishes pairs and refuses it for any other pair', async () => {
    const attested = { abi, verifier, valid };
    const proven = await ensureCircuit('settlement-proven-16');
    valid = await proveCall(proven);
    ({ abi, verifier } = await deployCommitted('settlement-proven-16'));
    try {
      assert.equal(valid.signals.length, 40);
      assert.equal(await verifies(() => {}), true);
      assert.equal(await ask('VK_HASH'), proven.vkHash);
      for (let i = 0; i < 40; i++) {
        assert.equal(await verifies((call) => (call.signals[i]! += 1n)), false, `signal ${i} plus 1`);
        assert.equal(await verifies((call) => (call.signals[i]! += FIELD_ORDER)), false, `signal ${i} plus r`);
      }
      const { execution, transaction } = await gasOf(valid);
      console.log(`      ${execution} gas for the call, ${transaction} for the transaction`);
    } finally {
      ({ abi, verifier, valid } = attested);
    }
  });

  it('says DEVELOPMENT = false only for a ceremony', () => {
    const ceremony = solidityVerifier(artefacts.verificationKey, { ...describeVerifier(), setup: 'ceremony' });
    assert.ok(ceremony.includes('DEVELOPMENT = false') && !ceremony.includes('INSECURE'));
    const development = solidityVerifier(artefacts.verificationKey, describeVerifier());
    assert.ok(development.includes('DEVELOPMENT = true') && development.includes('INSECURE'));
  });

  it('carries in each committed file the source hash and key hash of the manifest', async () => {
    for (const name of CIRCUIT_NAMES) {
      const path = join(REPOSITORY_ROOT, 'contracts', 'verifiers', `${circuitSpec(name).verifier}.sol`);
      const source = await readFile(path, 'utf8');
      const { sourceHash, vkHash } = await loadManifest(name);
      assert.ok(source.includes(`Source hash ${sourceHash}.`), name);
      assert.ok(source.includes(`VK_HASH = ${vkHash};`), name);
    }
  });

  it('is what the build command writes now', () => {
    throwsCode(() => assertCurrent('a.sol', 'contract A {}', 'contract A {}\n'), 'STUN_CIRCUIT_STALE_VERIFIER');
    const names = process.env['STUN_CIRCUITS'] === 'all' ? ['all'] : ['settlement-16'];
    const done = spawnSync(process.execPath, ['circuits/build/main.ts', ...names, '--check'], { cwd: REPOSITORY_ROOT });
    assert.equal(done.status, 0, done.stderr.toString());
    assert.match(done.stderr.toString(), /verifier is current/);
  });
});
