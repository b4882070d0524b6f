/** `stun model adopt-key`: the key of a ceremony in place of a compiled model's development key. docs/ceremony.md. */
import { resolve } from 'node:path';
import { adoptKey } from '#circuits/model/adopt-key.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { readText } from '../settings.ts';
import { barOf, setupOf, tableOf, type PowersOptions } from './ceremony-steps.ts';
import { setupWarning } from './public-model.ts';

/** Options of `model adopt-key`. */
export interface ModelAdoptOptions extends PowersOptions {
  readonly transcript: string;
  readonly out: string;
}

/**
 * Verifies the ceremony and writes the folder.
 * @throws `STUN_FILE`, `STUN_MODEL_ADOPTED`, `STUN_MODEL_MANIFEST` and the `STUN_CEREMONY_…` codes
 */
export async function modelAdoptKey({ args, options, context }: Invocation<ModelAdoptOptions>): Promise<CommandResult> {
  const [folder = '', keyPath = ''] = args;
  const setup = setupOf(options.rehearsalTable);
  const request = {
    folder,
    keyPath,
    transcript: await readText(options.transcript, 'transcript'),
    powersPath: options.ptau,
    table: await tableOf(options.rehearsalTable, context),
    setup,
    outDirectory: resolve(options.out),
  } as const;
  const identity = await adoptKey(request, barOf(context));
  return {
    document: { ...identity, setup, folder: request.outDirectory },
    text: [
      'The ceremony holds, and it is of this model.',
      `model id:    ${identity.modelId}`,
      `transcript:  ${identity.ceremonyHash}`,
      `setup:       ${setup}`,
      ...setupWarning(setup),
      `written to:  ${request.outDirectory}`,
    ].join('\n'),
    exitCode: 0,
  };
}
