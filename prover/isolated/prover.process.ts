/**
 * The program of a prover's process: one pool, asked over the channel to its owner. It ends when the owner does, however that ended, and
 * leaves signals of the terminal to it.
 */
import { asStunError, StunError } from '#protocol/errors/stun-error.ts';
import { createInferenceProver } from '../inference-pool.ts';
import type { InferenceProver, InferenceTask, ProveOptions, SettlementProofTask, SettlementProver } from '../interface.ts';
import { createSettlementProver } from '../pool.ts';
import { sentError, type Creation, type FromProcess, type Question, type ToProcess } from './messages.ts';

const STATS_MS = 500;

/** Either prover, as questions reach it. */
interface Asked {
  readonly models: readonly bigint[];
  readonly prover: SettlementProver | InferenceProver;
  readonly answer: (question: Question, options: ProveOptions) => Promise<unknown>;
}

function say(message: FromProcess): void {
  // Nobody hears it any more once the owner is gone; then this process ends anyhow.
  if (process.connected) process.send?.(message);
}

async function create(creation: Creation): Promise<Asked> {
  if (creation.kind === 'inference') {
    const prover = await createInferenceProver(creation.options);
    const answer: Asked['answer'] = (question, options) => {
      if (question.type === 'prove') return prover.prove(question.task as InferenceTask, options);
      throw new StunError('STUN_INTERNAL', 'a prover of inferences verifies nothing for others');
    };
    return { models: [...prover.models], prover, answer };
  }
  const progress = (line: string): void => say({ type: 'progress', line });
  const prover = await createSettlementProver({ ...creation.options, progress });
  const tell = (): void => say({ type: 'stats', stats: prover.stats() });
  tell();
  setInterval(tell, STATS_MS).unref();
  const answer: Asked['answer'] = async (question, options) => {
    if (question.type === 'verify') return prover.verify(question.proof);
    try {
      return await prover.prove(question.task as SettlementProofTask, options);
    } finally {
      tell();
    }
  };
  return { models: [], prover, answer };
}

const running = new Map<number, AbortController>();
let asked: Asked | undefined;

async function reply({ id, question, priority, staged }: Extract<ToProcess, { type: 'ask' }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    if (asked === undefined) throw new StunError('STUN_INTERNAL', 'the prover was asked before it was made');
    const value = await asked.answer(question, {
      signal: controller.signal,
      priority,
      ...(staged && { progress: (stage) => say({ type: 'stage', id, stage }) }),
    });
    say({ type: 'answer', id, value });
  } catch (error) {
    say({ type: 'failed', id, error: sentError(asStunError(error)) });
  } finally {
    running.delete(id);
  }
}

async function hear(message: ToProcess): Promise<void> {
  if (message.type === 'ask') await reply(message);
  else if (message.type === 'abort') running.get(message.id)?.abort();
  else if (message.type === 'close') {
    await asked?.prover.close();
    process.disconnect();
  } else {
    try {
      asked = await create(message.creation);
      say({ type: 'created', models: asked.models });
    } catch (error) {
      say({ type: 'refused', error: sentError(asStunError(error)) });
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (message: ToProcess) => void hear(message));
process.on('disconnect', () => process.exit());
