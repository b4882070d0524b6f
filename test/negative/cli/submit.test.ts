/** What `stun submit` refuses before it opens a store or asks anybody. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silent } from '#cli/command.ts';
import { submit } from '#cli/commands/submit.ts';
import { MAX_PRICE } from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';

describe('stun submit', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-submit-'));
    await writeFile(join(folder, 'inputs.json'), JSON.stringify({ x: { dtype: 'float32', dims: [1], data: [1] } }));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const run = (maxPrice: string) => {
    const inputs = [join(folder, 'inputs.json')] as unknown as string;
    const context = { progress: silent, signal: new AbortController().signal };
    return submit({ args: [inputs], options: { maxPrice }, context });
  };

  for (const price of [0n, MAX_PRICE + 1n, 2n ** 64n, 2n ** 64n + 1n]) {
    it(`refuses --max-price ${price}`, () => rejectsCode(run(price.toString()), 'STUN_PRICE_CAP'));
  }
  it('refuses a --max-price that is no number', () => rejectsCode(run('many'), 'STUN_INPUT'));
  it('takes the highest one, and tells what is missing next', () =>
    rejectsCode(run(MAX_PRICE.toString()), 'STUN_STORE_PASSPHRASE'));
});
