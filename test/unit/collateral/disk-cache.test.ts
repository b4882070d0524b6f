import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCollateralBundle, writeCollateralBundle } from '#collateral/bundle.ts';
import { createDiskCache } from '#collateral/disk-cache.ts';
import type { CollateralSource } from '#collateral/source.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { rejectsCode } from '../assert-code.ts';
import { atUnix, key, published } from './fetched-collateral.ts';

/** A source that counts its calls and can be taken down. */
function countingSource(): { source: CollateralSource; state: { calls: number; down: boolean } } {
  const state = { calls: 0, down: false };
  const source: CollateralSource = {
    tdxCollateral: () => {
      state.calls++;
      return state.down ? Promise.reject(new StunError('STUN_COLLATERAL_UNAVAILABLE', 'down')) : Promise.resolve(published);
    },
  };
  return { source, state };
}

describe('collateral on disk', () => {
  let folder = '';
  let now = atUnix;
  const cache = (source: CollateralSource): CollateralSource =>
    createDiskCache(source, { folder, maxAgeSeconds: 3600, nowUnix: () => now });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-collateral-'));
    now = atUnix;
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('serves a fresh copy without asking again, also from another process', async () => {
    const { source, state } = countingSource();
    assert.deepEqual(await cache(source).tdxCollateral(key), published);
    now += 3599;
    assert.deepEqual(await cache(source).tdxCollateral(key), published);
    assert.equal(state.calls, 1);
    assert.deepEqual(await readdir(folder), ['tdx-53494d000001-platform.json']);
  });

  it('asks again once the copy is old, and serves the old one only while the source is down', async () => {
    const { source, state } = countingSource();
    await cache(source).tdxCollateral(key);
    now += 3600;
    await cache(source).tdxCollateral(key);
    assert.equal(state.calls, 2);
    now += 7200;
    state.down = true;
    assert.deepEqual(await cache(source).tdxCollateral(key), published);
    assert.equal(state.calls, 3);
  });

  it('never serves a copy past its nextUpdate', async () => {
    const { source, state } = countingSource();
    await cache(source).tdxCollateral(key);
    now += 31 * 86_400;
    state.down = true;
    await rejectsCode(cache(source).tdxCollateral(key), 'STUN_COLLATERAL_UNAVAILABLE');
  });

  it('never serves a damaged copy or one from the future', async () => {
    const { source, state } = countingSource();
    const file = join(folder, 'tdx-53494d000001-platform.json');
    await cache(source).tdxCollateral(key);
    const whole = await readFile(file, 'utf8');
    for (const damaged of [whole.slice(0, -5), '{}', whole.replace('"expiresAtUnix":', '"expiresAtUnix":9')]) {
      await writeFile(file, damaged);
      state.down = true;
      await rejectsCode(cache(source).tdxCollateral(key), 'STUN_COLLATERAL_UNAVAILABLE');
    }
    await writeFile(file, whole);
    now = atUnix - 1;
    await rejectsCode(cache(source).tdxCollateral(key), 'STUN_COLLATERAL_UNAVAILABLE');
  });

  it('shares one fetch between calls that overlap', async () => {
    const { source, state } = countingSource();
    const shared = cache(source);
    await Promise.all([shared.tdxCollateral(key), shared.tdxCollateral(key), shared.tdxCollateral(key)]);
    assert.equal(state.calls, 1);
  });

  it('refuses to keep collateral without dates', async () => {
    const source: CollateralSource = { tdxCollateral: () => Promise.resolve({ ...published, tcb_info: '{}' }) };
    await rejectsCode(cache(source).tdxCollateral(key), 'STUN_COLLATERAL_RESPONSE');
  });

  it('travels in a bundle to a machine without a network', async () => {
    const path = join(folder, 'bundle.json');
    await writeCollateralBundle(path, [key], countingSource().source);
    const bundle = await openCollateralBundle(path);
    assert.deepEqual(await bundle.tdxCollateral(key), published);
    await rejectsCode(bundle.tdxCollateral({ ...key, pckCa: 'processor' }), 'STUN_COLLATERAL_NOT_FOUND');
  });

  for (const [name, text] of [
    ['no JSON', '{'],
    ['another version', '{"version":2,"collateral":{}}'],
    ['an entry that is no collateral', '{"version":1,"collateral":{"tdx-53494d000001-platform":{"tcb_info":"x"}}}'],
  ] as const) {
    it(`refuses a bundle with ${name}`, async () => {
      const path = join(folder, 'bundle.json');
      await writeFile(path, text);
      await rejectsCode(openCollateralBundle(path), 'STUN_FILE');
    });
  }
});
