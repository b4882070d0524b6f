import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { utf8 } from '#protocol/index.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { PASSPHRASE, removeFolders, storeWithOrder } from '#test/unit/client/store-fixtures.ts';

describe('two client processes on one lane', function () {
  this.timeout(60_000);
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await removeFolders();
  });

  const hold = async (folder: string, orderKey: string, provider: string): Promise<ChildProcess> => {
    const script = fileURLToPath(new URL('../../integration/client/lane-holder.ts', import.meta.url));
    const child = spawn(process.execPath, [script, folder, PASSPHRASE, orderKey, provider], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    assert.equal(String(said), 'held\n');
    return child;
  };

  it('lets the second one wait or open a lane of its own, and takes over what a killed one left', async () => {
    const { folder, store, order, laneEnclave } = await storeWithOrder();
    const lane = await store.lanes.create(order, laneEnclave);
    const first = await lane.demand({ payload: utf8('first'), maxPrice: 1n });
    await lane.close();
    const child = await hold(folder, order.orderKey, laneEnclave.provider);
    await rejectsCode(store.lanes.open(order, laneEnclave.provider, 0), 'STUN_LANE_LOCKED');
    const own = await store.lanes.forEnclave(order, laneEnclave);
    assert.equal(own.record.laneIndex, 1);
    await own.close();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const taken = await store.lanes.open(order, laneEnclave.provider, 0);
    assert.equal(taken.head, first.head);
    await rejectsCode(store.lanes.open(order, laneEnclave.provider, 0), 'STUN_LANE_LOCKED');
    await taken.close();
  });

  it('lets exactly one of many take over a dead lock', async () => {
    const { folder, store, order, laneEnclave } = await storeWithOrder();
    await (await store.lanes.create(order, laneEnclave)).close();
    const dead = await hold(folder, order.orderKey, laneEnclave.provider);
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => store.lanes.open(order, laneEnclave.provider, 0)));
    const won = tries.filter((one) => one.status === 'fulfilled');
    assert.equal(won.length, 1);
    await won[0]!.value.close();
  });
});
