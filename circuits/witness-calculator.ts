/**
 * Runs the witness calculators that circom compiles (WebAssembly, circom 2.2 interface): loaded once, a fresh instance for
 * every witness, so that no value of one segment is left for the next.
 *
 * The calculator's assertions make an honest prover stop early. They prove nothing: only the constraint system does.
 */
import { readFile } from 'node:fs/promises';
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';
import { readField } from './build/r1cs.ts';
import { emptyWitnessFile, FIELD_BYTES } from './build/section-container.ts';
import type { CircuitSignals } from './settlement-input.ts';

const LIMBS = 8;
/** Code of circom's exception handler for a failed assertion. */
const ASSERTION_FAILED = 4;

/** Functions that a circom 2.2 calculator exports and this uses; values are 32-bit integers. */
interface CalculatorExports {
  init(sanityCheck: number): void;
  getInputSignalSize(hashHigh: number, hashLow: number): number;
  setInputSignal(hashHigh: number, hashLow: number, index: number): void;
  getInputSize(): number;
  getWitnessSize(): number;
  getWitness(index: number): void;
  readonly memory: WebAssembly.Memory;
  /** Where in the memory `getWitness` leaves a value: eight little-endian words. */
  getSharedRWMemoryStart(): number;
  writeSharedRWMemory(limb: number, value: number): void;
  getMessageChar(): number;
}

/** 64-bit FNV-1a of a signal's name: how calculators address inputs. */
function signalHash(name: string): readonly [high: number, low: number] {
  let hash = 0xcbf29ce484222325n;
  for (const character of name) hash = BigInt.asUintN(64, (hash ^ BigInt(character.charCodeAt(0))) * 0x100000001b3n);
  return [Number(hash >> 32n), Number(hash & 0xffffffffn)];
}

function messageOf(calculator: CalculatorExports): string {
  let message = '';
  for (let code = calculator.getMessageChar(); code !== 0; code = calculator.getMessageChar())
    message += String.fromCharCode(code);
  return message;
}

function writeInput(calculator: CalculatorExports, name: string, values: readonly bigint[]): void {
  const [high, low] = signalHash(name);
  const size = calculator.getInputSignalSize(high, low);
  if (size !== values.length) {
    throw new StunError(
      'STUN_CIRCUIT_INPUT',
      `signal ${name} must have ${size < 0 ? 'a place in the circuit' : `${size} values`}, got ${values.length}`,
    );
  }
  for (const [index, value] of values.entries()) {
    if (value < 0n || value >= FIELD_ORDER) throw new StunError('STUN_RANGE', `signal ${name} must be a field element below r`);
    for (let limb = 0; limb < LIMBS; limb++)
      calculator.writeSharedRWMemory(limb, Number((value >> BigInt(32 * limb)) & 0xffffffffn));
    calculator.setInputSignal(high, low, index);
  }
}

/** A loaded witness calculator. */
export class WitnessCalculator {
  readonly #module: WebAssembly.Module;

  private constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /** Takes a program that is compiled already, such as one that threads share. */
  static over(module: WebAssembly.Module): WitnessCalculator {
    return new WitnessCalculator(module);
  }

  /** Loads and compiles a calculator. @param wasmPath - of an artefact that was verified */
  static async load(wasmPath: string): Promise<WitnessCalculator> {
    return new WitnessCalculator(await WebAssembly.compile(await readFile(wasmPath)));
  }

  async #calculate(signals: CircuitSignals): Promise<ReturnType<typeof emptyWitnessFile>> {
    let trace = '';
    const instance = await WebAssembly.instantiate(this.#module, {
      runtime: {
        exceptionHandler: (code: number) => {
          if (code === ASSERTION_FAILED) {
            throw new StunError('STUN_CIRCUIT_UNSATISFIED', `the segment breaks a rule of the circuit: ${trace.trim()}`);
          }
          throw new StunError('STUN_CIRCUIT_INPUT', `the witness calculator refused its input with code ${code}`);
        },
        printErrorMessage: () => {
          trace += `${messageOf(calculator)} `;
        },
        writeBufferMessage: () => {
          messageOf(calculator);
        },
        showSharedRWMemory: () => {},
      },
    });
    const calculator = instance.exports as unknown as CalculatorExports;
    calculator.init(1);
    let written = 0;
    for (const [name, value] of Object.entries(signals)) {
      const values = Array.isArray(value) ? value : [value];
      writeInput(calculator, name, values);
      written += values.length;
    }
    if (written !== calculator.getInputSize()) {
      throw new StunError('STUN_CIRCUIT_INPUT', `a circuit of ${calculator.getInputSize()} input values got ${written}`);
    }
    const count = calculator.getWitnessSize();
    const result = emptyWitnessFile(count);
    // 76 bytes stand before the values.
    const words = new Uint32Array(result.values.buffer, result.values.byteOffset);
    const first = calculator.getSharedRWMemoryStart() / 4;
    // Nothing below grows the memory, so that one view of it serves for all wires.
    const shared = new Uint32Array(calculator.memory.buffer).subarray(first, first + LIMBS);
    for (let wire = 0; wire < count; wire++) {
      calculator.getWitness(wire);
      words.set(shared, wire * LIMBS);
    }
    return result;
  }

  /**
   * The witness in snarkjs' binary form ("wtns", version 2), for `groth16.prove`.
   * @throws `STUN_CIRCUIT_UNSATISFIED` when an assertion fails, `STUN_CIRCUIT_INPUT` when signals are missing, unknown or of
   *   another length, `STUN_RANGE` for a value that is no field element
   */
  async calculateFile(signals: CircuitSignals): Promise<Uint8Array> {
    return (await this.#calculate(signals)).file;
  }

  /** The witness as integers, the constant 1 first. @throws as {@link calculateFile} */
  async calculate(signals: CircuitSignals): Promise<bigint[]> {
    const { values } = await this.#calculate(signals);
    const view = new DataView(values.buffer, values.byteOffset);
    return Array.from({ length: values.length / FIELD_BYTES }, (_, wire) => readField(view, wire * FIELD_BYTES));
  }
}
