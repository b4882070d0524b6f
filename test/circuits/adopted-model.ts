/** The tiny compiled model under the key of a ceremony of its own, of powers that were made here: a rehearsal. Held once and kept. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSha256 } from '#circuits/build/build-circuit.ts';
import { domainExponentOf } from '#circuits/build/development-key.ts';
import { readR1cs } from '#circuits/build/r1cs.ts';
import { startCeremony, verifyFinished, type CeremonyGround } from '#circuits/ceremony/ceremony.ts';
import { applyBeacon, contribute } from '#circuits/ceremony/contribute.ts';
import { adoptKey } from '#circuits/model/adopt-key.ts';
import { readCompiledFolder, type CompiledFolder } from '#circuits/model/folder.ts';
import { fieldToHex, transcriptText } from '#protocol/index.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';
import { keptFolder } from './kept.ts';
import { trapdoorPowers } from './powers-of-tau.ts';

const quiet = (): void => {};

/** A ceremony that two parties and a beacon finished. */
export interface FinishedCeremony {
  readonly ground: CeremonyGround;
  readonly keyPath: string;
  readonly transcriptPath: string;
  readonly transcript: string;
  /** The key before the beacon. */
  readonly openKeyPath: string;
}

/** The ceremony of a constraint file. */
export async function ceremonyOf(r1csPath: string): Promise<FinishedCeremony> {
  const powers = await trapdoorPowers(domainExponentOf(await readR1cs(r1csPath)));
  const ground = { r1csPath, powersPath: powers.path, table: [powers.row] };
  const folder = await keptFolder(`ceremony-${(await fileSha256(r1csPath)).slice(0, 16)}`, async (scratch) => {
    const at = (name: string): string => join(scratch, name);
    await startCeremony(ground, at('0.zkey'), quiet);
    await contribute({ from: at('0.zkey'), to: at('1.zkey'), name: 'one' }, Buffer.from('a'), quiet);
    await contribute({ from: at('1.zkey'), to: at('2.zkey'), name: 'two' }, Buffer.from('b'), quiet);
    const beacon = { value: Buffer.from('c0ffee', 'hex'), iterationsExponent: 10 };
    await applyBeacon({ from: at('2.zkey'), to: at('final.zkey'), name: 'beacon' }, beacon, quiet);
    await writeFile(at('transcript.json'), transcriptText(await verifyFinished(ground, at('final.zkey'), quiet)));
  });
  const transcriptPath = join(folder, 'transcript.json');
  return {
    ground,
    keyPath: join(folder, 'final.zkey'),
    openKeyPath: join(folder, '2.zkey'),
    transcriptPath,
    transcript: await readFile(transcriptPath, 'utf8'),
  };
}

/** The tiny model's folder with that key. */
export async function adoptedFixture(): Promise<CompiledFolder & { readonly directory: string }> {
  const { directory: folder, model, r1csPath } = await compiledFixture();
  const directory = join(
    await keptFolder(`adopted-${fieldToHex(model.modelId).slice(2, 18)}`, async (scratch) => {
      const { ground, keyPath, transcript } = await ceremonyOf(r1csPath);
      await adoptKey({ ...ground, folder, keyPath, transcript, setup: 'rehearsal', outDirectory: join(scratch, 'model') }, quiet);
    }),
    'model',
  );
  return { ...(await readCompiledFolder(directory)), directory };
}
