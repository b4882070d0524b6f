import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBundlingLoader, openCollateralBundle } from '#collateral/bundle.ts';
import { createDiskCache } from '#collateral/disk-cache.ts';
import type { IntelCollateralDocument } from '#collateral/intel-pcs.ts';
import type { CollateralLoader, Published } from '#collateral/published.ts';
import { fromNetwork, publishedName } from '#collateral/published.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { rejectsCode, throwsCode } from '../assert-code.ts';
import { atUnix, familyCollateral, published, recorded } from './fetched-collateral.ts';

/** The platform family's collateral, from a vendor that counts how often it is asked and can be taken down. */
function counted(document: IntelCollateralDocument = published): {
  family: Published<IntelCollateralDocument>;
  state: { calls: number; down: boolean };
} {
  const state = { calls: 0, down: false };
  const family: Published<IntelCollateralDocument> = {
    ...familyCollateral(recorded(new Map())),
    fetch: () => {
      state.calls++;
      return state.down ? Promise.reject(new StunError('STUN_COLLATERAL_UNAVAILABLE', 'down')) : Promise.resolve(document);
    },
  };
  return { family, state };
}

describe('collateral on disk', () => {
  let folder = '';
  let now = atUnix;
  const cache = (): CollateralLoader => createDiskCache({ folder, maxAgeSeconds: 3600, nowUnix: () => now });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-collateral-'));
    now = atUnix;
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('serves a fresh copy without asking again, also from another process', async () => {
    const { family, state } = counted();
    assert.deepEqual(await cache().load(family), published);
    now += 3599;
    assert.deepEqual(await cache().load(family), published);
    assert.equal(state.calls, 1);
    assert.deepEqual(await readdir(folder), ['tdx-53494d000001-platform.json']);
  });

  it('asks again once the copy is old, and serves the old one only while the source is down', async () => {
    const { family, state } = counted();
    await cache().load(family);
    now += 3600;
    await cache().load(family);
    assert.equal(state.calls, 2);
    now += 7200;
    state.down = true;
    assert.deepEqual(await cache().load(family), published);
    assert.equal(state.calls, 3);
  });

  it('never serves a copy past its nextUpdate', async () => {
    const { family, state } = counted();
    await cache().load(family);
    now += 31 * 86_400;
    state.down = true;
    await rejectsCode(cache().load(family), 'STUN_COLLATERAL_UNAVAILABLE');
  });

  it('never serves a damaged copy or one from the future', async () => {
    const { family, state } = counted();
    const file = join(folder, 'tdx-53494d000001-platform.json');
    await cache().load(family);
    const whole = await readFile(file, 'utf8');
    for (const damaged of [whole.slice(0, -5), '{}', whole.replace('"standsInUntilUnix":', '"standsInUntilUnix":9')]) {
      await writeFile(file, damaged);
      state.down = true;
      await rejectsCode(cache().load(family), 'STUN_COLLATERAL_UNAVAILABLE');
    }
    await writeFile(file, whole);
    now = atUnix - 1;
    await rejectsCode(cache().load(family), 'STUN_COLLATERAL_UNAVAILABLE');
  });

  it('shares one fetch between calls that overlap', async () => {
    const { family, state } = counted();
    const shared = cache();
    await Promise.all([shared.load(family), shared.load(family), shared.load(family)]);
    assert.equal(state.calls, 1);
  });

  it('refuses to keep collateral without dates', async () => {
    const { family } = counted({ ...published, tcb_info: '{}' });
    await rejectsCode(cache().load(family), 'STUN_COLLATERAL_RESPONSE');
  });

  it('asks once for what never changes, and never serves it in another form', async () => {
    const { family, state } = counted();
    const fixed: Published<IntelCollateralDocument> = { ...family, lifetime: 'fixed' };
    await cache().load(fixed);
    now += 3650 * 86_400;
    assert.deepEqual(await cache().load(fixed), published);
    assert.equal(state.calls, 1);
    const refusing = { ...fixed, accepts: (value: unknown): value is IntelCollateralDocument => value === 'other' };
    await cache().load(refusing);
    assert.equal(state.calls, 2);
  });

  it('travels in a bundle to a machine without a network', async () => {
    const path = join(folder, 'bundle.json');
    const bundling = createBundlingLoader(fromNetwork);
    await bundling.load(counted().family);
    await bundling.writeBundle(path);
    const { family, state } = counted();
    const bundle = await openCollateralBundle(path);
    assert.deepEqual(await bundle.load(family), published);
    await rejectsCode(bundle.load({ ...family, name: 'tdx-53494d000001-processor' }), 'STUN_COLLATERAL_NOT_FOUND');
    assert.equal(state.calls, 0);
    await rejectsCode(bundling.writeBundle(join(folder, 'absent', 'bundle.json')), 'STUN_FILE');
  });

  for (const [name, text] of [
    ['no JSON', '{'],
    ['another version', '{"version":2,"collateral":{}}'],
    ['no collateral', '{"version":1}'],
    ['an entry that is no collateral', '{"version":1,"collateral":{"tdx-53494d000001-platform":{"tcb_info":"x"}}}'],
  ] as const) {
    it(`refuses a bundle with ${name}`, async () => {
      const path = join(folder, 'bundle.json');
      await writeFile(path, text);
      await rejectsCode(
        openCollateralBundle(path).then((bundle) => bundle.load(counted().family)),
        'STUN_FILE',
      );
    });
  }

  it('has no name that leads out of its folder', () => {
    for (const parts of [['..', 'x'], ['a/b'], [''], ['x'.repeat(201)]]) throwsCode(() => publishedName(...parts), 'STUN_INPUT');
  });
});
