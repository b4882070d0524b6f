/**
 * What a pool of proving threads may take of memory, decided before it starts: keys, threads and running proofs share one limit, whatever
 * makes the proofs. Not counted is what the process has without a prover, and what its caller keeps.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Groth16Backend, KeyMemory } from './backend.ts';
import type { ChosenBackends } from './backends.ts';
import type { TaskBudget } from './thread-pool.ts';

const MEGABYTE = 2 ** 20;
/** What the runtime keeps for a thread beside the old space of its heap: young generation, code, stacks. */
const THREAD_BYTES = 48 * MEGABYTE;

/**
 * A limit for whoever names none: holds the settlement circuits, and compiled models whose keys have some 15 MB together, however many
 * threads. More is refused at the start, with what it needs.
 * @returns MiB
 */
export function defaultMemoryMb(threads: number): number {
  return Math.max(2048, 256 * threads);
}

/** One circuit that a pool proves. */
export interface PlannedCircuit {
  readonly name: string;
  /** What tasks call it. */
  readonly id: string;
  readonly zkey: SharedArrayBuffer;
  /** Held once beside the key, such as witness programs. */
  readonly programBytes: number;
  /** What making a witness takes, the witness itself left out. */
  readonly witnessBytes: number;
}

/** How a pool is to be run. */
export interface MemoryWish {
  readonly threads: number;
  /** Old space of a thread's JavaScript heap: a thread that needs more is ended. */
  readonly heapLimitMb: number;
  /** Of everything that the plan counts, in MiB. */
  readonly memoryLimitMb: number;
}

/** A plan that holds. */
export interface MemoryPlan {
  readonly limitBytes: number;
  /** Taken all the time: keys, prepared keys, programs, threads. */
  readonly heldBytes: number;
  /** What a task takes on that many cores, with the backend of that place in `chosen`; 0 for a circuit that is not planned. */
  readonly needed: (id: string, cores: number, backend: number) => number;
  /** Without those backends behind the first whose proofs the limit does not hold. */
  readonly chosen: ChosenBackends;
}

interface Room {
  readonly backend: Groth16Backend;
  /** Of prepared keys. */
  readonly keyBytes: number;
  readonly needs: ReadonlyMap<string, (cores: number) => number>;
  /** The circuit that takes the most on one core, and how much. */
  readonly largest: { readonly name: string; readonly bytes: number };
}

/** A key has at least 256 bytes of points for each of the 32 that a wire has in a witness. */
const witnessFileBytes = (zkey: SharedArrayBuffer): number => zkey.byteLength / 8;
const megabytes = (bytes: number): number => Math.ceil(bytes / MEGABYTE);

function roomOf(circuits: readonly PlannedCircuit[], backend: Groth16Backend, memoryLimitMb: number): Room {
  let keyBytes = 0;
  let largest = { name: '', bytes: 0 };
  const needs = new Map<string, KeyMemory['proofBytes']>();
  for (const { name, id, zkey, witnessBytes } of circuits) {
    const memory = backend.measure(new Uint8Array(zkey), memoryLimitMb);
    const needed = (cores: number): number =>
      Math.ceil(witnessFileBytes(zkey)) + witnessBytes + memory.proofBytes(Math.min(cores, backend.mostThreads));
    keyBytes += memory.keyBytes;
    needs.set(id, needed);
    if (needed(1) > largest.bytes) largest = { name, bytes: needed(1) };
  }
  return { backend, keyBytes, needs, largest };
}

/**
 * Plans the memory of a pool and prepares keys, where the first backend does that.
 * @throws `STUN_PROVER_MEMORY` when the first backend could not prove every circuit, even one at a time; `STUN_PROVER_KEY`
 */
export function planMemory(
  circuits: readonly PlannedCircuit[],
  chosen: ChosenBackends,
  { threads, heapLimitMb, memoryLimitMb }: MemoryWish,
): MemoryPlan {
  const limitBytes = memoryLimitMb * MEGABYTE;
  const files = circuits.reduce((sum, { zkey, programBytes }) => sum + zkey.byteLength + programBytes, 0);
  const withoutProofs = files + threads * (heapLimitMb * MEGABYTE + THREAD_BYTES);
  const beside = (bytes: number): string => `keys and ${threads} threads take ${megabytes(bytes)} MB`;
  const limit = `the limit is ${memoryLimitMb} MB`;
  // Before a key is prepared that there is no room for.
  if (withoutProofs > limitBytes)
    throw new StunError('STUN_PROVER_MEMORY', `${beside(withoutProofs)} before any proof, ${limit}`);
  const [first, ...others] = chosen.backends.map((backend) => roomOf(circuits, backend, memoryLimitMb));
  if (first === undefined) throw new StunError('STUN_INTERNAL', 'a prover must have a backend');
  const heldBytes = withoutProofs + first.keyBytes;
  const isTooLarge = ({ largest }: Room): boolean => heldBytes + largest.bytes > limitBytes;
  const explained = ({ backend, largest }: Room): string =>
    `a proof of ${largest.name} by ${backend.name} takes ${megabytes(largest.bytes)} MB, ${beside(heldBytes)}: ` +
    `${megabytes(heldBytes + largest.bytes)} MB are needed, ${limit}`;
  if (isTooLarge(first)) throw new StunError('STUN_PROVER_MEMORY', explained(first));
  const kept = [first, ...others.filter((room) => !isTooLarge(room))];
  const leftOut = others.filter(isTooLarge).map((room) => [room.backend.name, explained(room)]);
  return {
    limitBytes,
    heldBytes,
    needed: (id, cores, backend) => kept[backend]?.needs.get(id)?.(cores) ?? 0,
    chosen: {
      backends: kept.map(({ backend }) => backend),
      unavailable: { ...chosen.unavailable, ...Object.fromEntries(leftOut) },
    },
  };
}

/** What the plan leaves for running tasks. @param idOf - the circuit of a task; tasks of unknown circuits are refused by their thread */
export function budgetOf<Task>(plan: MemoryPlan, idOf: (task: Task) => string): TaskBudget<Task> {
  return {
    bytes: plan.limitBytes - plan.heldBytes,
    needed: (task, cores, backend) => plan.needed(idOf(task), cores, backend),
  };
}
