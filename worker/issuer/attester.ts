/**
 * Evidence of the whole machine: the quote of its CPU and, where the settings name them, the reports of its GPUs, bound to each other by
 * keyset and nonce (docs/protocol.md, section 4). GPUs that are named and do not answer make no evidence at all, never one without them.
 */
import { fromHex, gpuNonceOf, StunError } from '#protocol/index.ts';
import type { ChainView } from '../chain-view.ts';
import { collectGpus, type CollectedGpu, type NvattestOptions } from './gpu.ts';
import { issueEvidence, type EvidenceIssuer, type GpuCollateralFor } from './issuer.ts';

/** The GPUs of a machine. */
export interface ShownGpus extends NvattestOptions {
  /** How many must answer: with fewer or more it is not the machine that was set up. */
  readonly count: number;
  readonly collateralFor: GpuCollateralFor;
}

/** Evidence as it is handed out. */
export interface MachineEvidence {
  /** The document's exact bytes. */
  readonly document: Uint8Array;
  /** Where the first OCSP response about a GPU ends, unix seconds: nobody accepts the document afterwards. Null without GPUs. */
  readonly standsUntilUnix: number | null;
}

/** Makes evidence, one document at a time: the driver answers one question after the other anyway. */
export class Attester {
  readonly issuer: EvidenceIssuer;
  readonly #gpus: ShownGpus | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** What answered last. */
  #shown: readonly CollectedGpu[] | undefined;

  constructor(issuer: EvidenceIssuer, gpus?: ShownGpus) {
    this.issuer = issuer;
    this.#gpus = gpus;
  }

  /** How many GPUs every document shows. */
  get gpuCount(): number {
    return this.#gpus?.count ?? 0;
  }

  /**
   * Makes the evidence of a keyset over a nonce.
   * @param nonce - 32 bytes
   * @param signal - stops the GPUs' program
   * @throws `STUN_GPU_COLLECTION`, also when another number of GPUs answers than the settings say; `STUN_TSM_*`, and what the two
   *   ways to collateral throw
   */
  attest(keysetDigest: Uint8Array, nonce: Uint8Array, signal?: AbortSignal): Promise<MachineEvidence> {
    const made = this.#last.then(() => this.#attest(keysetDigest, nonce, signal));
    this.#last = made.catch(() => undefined);
    return made;
  }

  /** Makes the evidence of a keyset over the newest block's hash. @throws as {@link attest}, `STUN_CHAIN_*` */
  async attestNewestBlock(
    keysetDigest: Uint8Array,
    chain: Pick<ChainView, 'newestBlock'>,
    signal?: AbortSignal,
  ): Promise<MachineEvidence> {
    const { hash } = await chain.newestBlock();
    return this.attest(keysetDigest, fromHex(hash, 32, 'block hash'), signal);
  }

  /**
   * Where evidence that is made now would end, if the GPUs are those that were shown last: what is published about them is asked for, they are not.
   * @returns unix seconds; null before the first evidence, and without GPUs
   * @throws what the way to collateral throws, such as `STUN_OCSP_EXPIRED`
   */
  async standsUntilUnix(): Promise<number | null> {
    if (this.#gpus === undefined || this.#shown === undefined) return null;
    return (await this.#gpus.collateralFor(this.#shown)).standsUntilUnix;
  }

  async #attest(keysetDigest: Uint8Array, nonce: Uint8Array, signal?: AbortSignal): Promise<MachineEvidence> {
    if (this.#gpus === undefined)
      return { document: await issueEvidence(this.issuer, keysetDigest, nonce), standsUntilUnix: null };
    const { count, collateralFor } = this.#gpus;
    const gpus = await collectGpus(gpuNonceOf(keysetDigest, nonce), { ...this.#gpus, ...(signal && { signal }) });
    if (gpus.length !== count)
      throw new StunError('STUN_GPU_COLLECTION', `${gpus.length} GPUs answered, the settings say ${count}`);
    this.#shown = gpus;
    const collateral = await collateralFor(gpus);
    const document = await issueEvidence(this.issuer, keysetDigest, nonce, gpus, collateral);
    return { document, standsUntilUnix: collateral.standsUntilUnix };
  }
}
