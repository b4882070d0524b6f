import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSnpIssuer } from '#worker/issuer/snp.ts';
import { collateralFile } from '#worker/issuer/collateral-file.ts';
import { createTdxIssuer } from '#worker/issuer/tdx.ts';
import { readTsmReport, type TsmOptions } from '#worker/issuer/tsm.ts';
import { rejectsCode } from '../assert-code.ts';
import { createTsmDouble, reportOver, type TsmDouble } from './tsm-double.ts';

describe('configfs-tsm', () => {
  let double: TsmDouble;
  let waits: number[];
  let options: TsmOptions;
  const reportData = randomBytes(64);

  beforeEach(async () => {
    double = await createTsmDouble();
    waits = [];
    options = {
      directory: double.directory,
      files: double.files,
      maxAttempts: 6,
      wait: (milliseconds) => Promise.resolve(waits.push(milliseconds)),
    };
  });

  it('makes an entry, writes 64 bytes, reads between two generations and removes the entry', async () => {
    const report = await readTsmReport(reportData, options);
    assert.deepEqual(Buffer.from(report.outblob), Buffer.from(reportOver(reportData)));
    assert.equal(report.provider, 'tdx_guest');
    assert.deepEqual(double.operations, [
      'mkdir',
      'write inblob',
      'read generation',
      'read outblob',
      'read auxblob',
      'read provider',
      'read generation',
      'rmdir',
    ]);
    assert.equal(double.entries.size, 0);
  });

  it('asks again when another writer came between', async () => {
    let intrusions = 2;
    double.beforeRead = async (attribute, entry) => {
      if (attribute === 'outblob' && intrusions-- > 0) await double.writeInblob(entry, randomBytes(64));
    };
    const report = await readTsmReport(reportData, options);
    assert.deepEqual(Buffer.from(report.outblob), Buffer.from(reportOver(reportData)));
    assert.deepEqual(waits, [10, 20]);
  });

  it('asks again when another writer came after the report was read', async () => {
    let intruded = false;
    double.beforeRead = async (attribute, entry) => {
      if (attribute !== 'provider' || intruded) return;
      intruded = true;
      await double.writeInblob(entry, randomBytes(64));
    };
    const report = await readTsmReport(reportData, options);
    assert.deepEqual(Buffer.from(report.outblob), Buffer.from(reportOver(reportData)));
    assert.deepEqual(waits, [10]);
  });

  it('keeps concurrent callers apart', async () => {
    const wanted = Array.from({ length: 8 }, () => randomBytes(64));
    const reports = await Promise.all(wanted.map((data) => readTsmReport(data, options)));
    for (const [i, report] of reports.entries()) {
      assert.deepEqual(Buffer.from(report.outblob), Buffer.from(reportOver(wanted[i]!)));
    }
    assert.equal(double.entries.size, 0);
  });

  it('waits longer each time while the platform is busy, at most a second', async () => {
    double.outblobErrors.push('EBUSY', 'EWOULDBLOCK', 'EAGAIN', 'EBUSY', 'EINTR');
    await readTsmReport(reportData, options);
    assert.deepEqual(waits, [10, 20, 40, 80, 160]);
    waits.length = 0;
    double.outblobErrors.push(...Array.from({ length: 11 }, () => 'EBUSY'));
    await readTsmReport(reportData, { ...options, maxAttempts: 12 });
    assert.equal(Math.max(...waits), 1000);
  });

  it('gives up on a platform that stays busy, and removes its entry', async () => {
    double.outblobErrors.push(...Array.from({ length: 6 }, () => 'EBUSY'));
    await rejectsCode(readTsmReport(reportData, options), 'STUN_TSM_BUSY');
    assert.equal(double.entries.size, 0);
  });

  it('gives up when other writers never stop', async () => {
    double.beforeRead = (attribute, entry) =>
      attribute === 'outblob' ? double.writeInblob(entry, randomBytes(64)) : Promise.resolve();
    await rejectsCode(readTsmReport(reportData, options), 'STUN_TSM_BUSY');
  });

  it('waits for a busy kernel to make the entry', async () => {
    double.mkdirErrors.push('EBUSY');
    await readTsmReport(reportData, options);
    assert.deepEqual(waits, [10]);
  });

  it('refuses where the kernel has no report interface', async () => {
    const missing = { directory: join(tmpdir(), 'stun-no-such-directory', 'report') };
    await rejectsCode(readTsmReport(reportData, missing), 'STUN_TSM_UNAVAILABLE');
  });

  it('refuses where this user may not make entries', async () => {
    double.mkdirErrors.push('EACCES');
    await rejectsCode(readTsmReport(reportData, options), 'STUN_TSM_UNAVAILABLE');
  });

  it('refuses report_data of another length', async () => {
    await rejectsCode(readTsmReport(new Uint8Array(63), options), 'STUN_INPUT');
  });

  it('does without a certificate table', async () => {
    double.auxblob = undefined;
    assert.equal((await readTsmReport(reportData, options)).auxblob.length, 0);
  });

  it('refuses a report of another driver than configured', async () => {
    double.provider = 'arm_cca_guest';
    await rejectsCode(createSnpIssuer(options, undefined).issue(reportData), 'STUN_TSM_PROVIDER');
    await rejectsCode(createTdxIssuer(options, collateralFile('collateral.json')).issue(reportData), 'STUN_TSM_PROVIDER');
  });

  it('refuses TDX evidence without readable collateral', async () => {
    const path = join(tmpdir(), 'stun-no-such-collateral.json');
    await rejectsCode(createTdxIssuer(options, collateralFile(path)).issue(reportData), 'STUN_FILE');
  });
});
