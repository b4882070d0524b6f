/** Witnesses by the native addon: it runs the program that circuits/witness/ compiled, in milliseconds. */
import { emptyWitnessFile, inputBytes, programInterface, type ProgramInterface } from '#circuits/witness/program-inputs.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CircuitSignals } from './circuit-input.ts';
import { errorOf } from './engine-answers.ts';
import type { NativeAddon, ProgramHandle } from './native-addon.ts';

/** The addon's status for inputs that break a rule, to which 256 times the rule is added. */
const REFUSED = 6;

interface OpenProgram extends ProgramInterface {
  readonly handle: ProgramHandle;
}

/** Runs witness programs with one engine. A program is opened once in a process, by the memory it lies in. */
export class NativeWitness {
  readonly #addon: NativeAddon;
  readonly #engine: string;
  readonly #programs = new WeakMap<SharedArrayBuffer, OpenProgram>();

  constructor(addon: NativeAddon, engine: string) {
    this.#addon = addon;
    this.#engine = engine;
  }

  #open(program: SharedArrayBuffer, memoryLimitMb: number): OpenProgram {
    const known = this.#programs.get(program);
    if (known !== undefined) return known;
    const bytes = new Uint8Array(program);
    const handle = this.#addon.openProgram(bytes, this.#engine, true, memoryLimitMb);
    if (typeof handle === 'number') throw errorOf(handle, 'native');
    const opened = { ...programInterface(bytes), handle };
    this.#programs.set(program, opened);
    return opened;
  }

  /** As `makeWitness` of prover/backend.ts. */
  make(program: SharedArrayBuffer, signals: CircuitSignals, memoryLimitMb: number): Uint8Array {
    const { handle, wireCount, inputs, rules } = this.#open(program, memoryLimitMb);
    const given = inputBytes(inputs, signals);
    const { file, values } = emptyWitnessFile(wireCount);
    const status = this.#addon.runProgram(handle, given, values, memoryLimitMb);
    given.fill(0);
    if (status % 256 === REFUSED) {
      const rule = rules[Math.floor(status / 256)] ?? 'a constraint';
      throw new StunError('STUN_CIRCUIT_UNSATISFIED', `the segment breaks a rule of the circuit: the constraint on ${rule}`);
    }
    if (status !== 0) throw errorOf(status, 'native');
    return file;
  }
}
