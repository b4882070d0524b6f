/**
 * Wakes waiting requests of this process when something they wait for was committed here. Only a shortcut: what another process
 * commits is found by polling, and nothing is lost when a wake is.
 */
import { EventEmitter } from 'node:events';

/** A wait that was armed before the state was read. */
export interface ArmedWait {
  /** Resolves on a wake since arming, after `ms`, or on the signal. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  cancel(): void;
}

export class Wake {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  /** Wakes all that wait for a topic. */
  wake(topic: string): void {
    this.#emitter.emit(topic);
  }

  /** Starts to listen; `wait` then resolves for wakes from here on. */
  arm(topic: string): ArmedWait {
    let woken = false;
    let resolveWait: (() => void) | undefined;
    const onWake = (): void => {
      woken = true;
      resolveWait?.();
    };
    this.#emitter.once(topic, onWake);
    const cancel = (): void => {
      this.#emitter.off(topic, onWake);
    };
    return {
      cancel,
      async wait(ms, signal) {
        if (!woken && !signal.aborted) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(done, ms);
            function done(): void {
              clearTimeout(timer);
              signal.removeEventListener('abort', done);
              resolve();
            }
            resolveWait = done;
            signal.addEventListener('abort', done, { once: true });
          });
        }
        cancel();
      },
    };
  }
}

/** Topic of new events of an order. */
export const orderTopic = (orderKey: string): string => `order:${orderKey}`;
/** Topic of work for an enclave. */
export const enclaveTopic = (keysetDigest: string): string => `enclave:${keysetDigest}`;
