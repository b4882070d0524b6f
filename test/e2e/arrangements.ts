/** How jobs are brought to a state and kept there, so that what is killed is killed with them in that state and in no other. */
import type { DevChain } from '#chain/dev-chain.ts';
import { SEGMENT, statesOf, submitAll, untilExactly, untilLastServed, type Campaign } from './campaign.ts';
import type { Holds } from './hold-points.ts';

const LIMIT_MS = 240_000;

/** The states of a job that something can be killed in. */
export type Held = 'leased' | 'running' | 'receipted' | 'batched' | 'proven';

/** What is held. */
export interface HeldParts {
  readonly chain: DevChain;
  readonly worker: { readonly pid: number };
  /** The process whose child proves: a prover, or a service that is all in one. */
  readonly prover: { readonly pid: number };
}

/** They resolve once the states were seen with everything that could change them held. */
export const arrangements: Readonly<Record<Held, (parts: HeldParts, campaign: Campaign, holds: Holds) => Promise<void>>> = {
  async leased({ worker }, campaign, holds) {
    // It has asked for work already, so it is given the job, and says no more.
    await holds.stop(worker.pid);
    await submitAll(campaign, 1);
    await untilExactly(campaign, ['leased'], LIMIT_MS);
    await submitAll(campaign, 1);
    await untilExactly(campaign, ['leased', 'queued'], LIMIT_MS);
  },
  async running({ worker }, campaign, holds) {
    await holds.stopChildOf(worker.pid, 'runner-process');
    await submitAll(campaign, 2);
    await untilExactly(campaign, ['running', 'queued'], LIMIT_MS);
  },
  async receipted({ worker }, campaign, holds) {
    // The worker hands its segment over when it has been idle, which may be before it can be stopped: then with more jobs.
    for (;;) {
      await submitAll(campaign, 2);
      await untilLastServed(campaign, LIMIT_MS);
      await holds.stop(worker.pid);
      if ([...(await statesOf(campaign)).values()].at(-1) === 'receipted') return;
      await holds.release();
    }
  },
  async batched({ prover }, campaign, holds) {
    await holds.stopChildOf(prover.pid, 'prover.process');
    await submitAll(campaign, SEGMENT);
    await untilExactly(campaign, Array<string>(SEGMENT).fill('batched'), LIMIT_MS);
  },
  async proven({ chain }, campaign, holds) {
    await holds.stopMining(chain);
    await submitAll(campaign, SEGMENT);
    await untilExactly(campaign, Array<string>(SEGMENT).fill('proven'), LIMIT_MS);
  },
};
