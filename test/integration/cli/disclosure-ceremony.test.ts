/** Disclosures under the key of a ceremony for the shape of an output: from its constraints to a proof that a stranger and a contract accept. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deployContract } from '#chain/deploy.ts';
import { startDevChain } from '#chain/dev-chain.ts';
import { ContractAccess } from '#chain/contract-access.ts';
import { verificationKeyBytes, type VerificationKey } from '#circuits/build/verification-key.ts';
import { compileVerifier } from '#circuits/ceremony/compile-verifier.ts';
import { CEREMONY_FILES } from '#circuits/ceremony/export-ceremony.ts';
import { writeDisclosureR1cs } from '#circuits/model/disclosure/disclosure-key.ts';
import { verifyDisclosure, type Disclosure } from '#client/index.ts';
import { buildProgram } from '#cli/program.ts';
import { Runner } from '#cli/runner.ts';
import { disclosureSignals, parseTranscript, transcriptHashOf, type AllowedKey } from '#protocol/index.ts';
import { ceremonyOf, type FinishedCeremony } from '#test/circuits/adopted-model.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { makeCompiledReceipt, type CompiledReceipt } from '#test/unit/client/compiled-receipt.ts';
import { compiledFixture } from '#test/unit/worker/compiled-fixture.ts';

describe('cli: a disclosure under the key of a ceremony', function () {
  this.timeout(240_000);
  let folder: string;
  let held: FinishedCeremony;
  let made: CompiledReceipt;
  let allowed: AllowedKey;
  let disclosure: Disclosure;
  const at = (name: string): string => join(folder, name);

  async function stun(args: readonly string[]): Promise<Record<string, unknown>> {
    const runner = new Runner({ progress: () => {}, signal: new AbortController().signal });
    await buildProgram(runner).parseAsync(['--root', at('root.json'), ...args], { from: 'user' });
    return runner.result!.document as Record<string, unknown>;
  }
  const key = (ceremony = at('exported'), list = at('allowed.json')) => [
    '--ceremony',
    ceremony,
    '--allowed-keys',
    list,
    '--rehearsal-table',
    at('table.json'),
  ];
  const disclose = (options: readonly string[], out = at('none.json')) =>
    stun([
      'receipt',
      'disclose',
      at('receipt.json'),
      '--output-index',
      '0',
      `--ge=${made.output[0]! - 1}`,
      '--out',
      out,
      ...options,
    ]);
  const verify = (options: readonly string[], file = at('disclosure.json')) =>
    stun(['receipt', 'verify-disclosure', file, ...options]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-disclosure-ceremony-'));
    const model = await compiledFixture();
    made = await makeCompiledReceipt(model, [9, 200, 0, 77]);
    await writeFile(at('receipt.json'), JSON.stringify(made.file));
    await writeFile(at('root.json'), JSON.stringify(made.pki.root));
    held = await ceremonyOf(await writeDisclosureR1cs(model.model.output.shape));
    await writeFile(at('table.json'), JSON.stringify(held.ground.table));
    const named = ['--disclosure', model.directory, '--transcript', held.transcriptPath, '--out', at('exported')];
    const exported = await stun(['ceremony', 'export', held.keyPath, ...named]);
    allowed = exported['allowed'] as AllowedKey;
    await writeFile(at('allowed.json'), JSON.stringify([allowed]));
    await disclose(key(), at('disclosure.json'));
    disclosure = JSON.parse(await readFile(at('disclosure.json'), 'utf8')) as Disclosure;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('starts and ends with the circuit of the model that `--disclosure` names', async () => {
    const table = ['--rehearsal-table', at('table.json')];
    const ground = ['--disclosure', (await compiledFixture()).directory, '--ptau', held.ground.powersPath, ...table];
    const { circuitHash } = await stun(['ceremony', 'start', ...ground, '--out', at('0.zkey')]);
    assert.equal(circuitHash, parseTranscript(held.transcript).circuitHash);
    const finished = ['ceremony', 'finalise', held.keyPath, ...ground, '--out', at('finished.json')];
    assert.equal((await stun(finished))['transcriptHash'], transcriptHashOf(held.transcript));
    assert.equal(await readFile(at('finished.json'), 'utf8'), held.transcript);
  });

  it('is verified by everybody who allows the key, offline', async () => {
    const shown = await verify(key());
    assert.deepEqual([shown['verified'], shown['setup'], shown['vkHash']], [true, 'rehearsal', allowed.vkHash]);
    const text = await readFile(at(`exported/${CEREMONY_FILES.verificationKey}`), 'utf8');
    const bytes = verificationKeyBytes(JSON.parse(text) as VerificationKey);
    assert.equal(verifyDisclosure(disclosure, bytes).vkHash, allowed.vkHash);
  });

  it('is verified by the contract that the ceremony exports', async () => {
    const source = await readFile(at('exported/DisclosureVerifier.sol'), 'utf8');
    assert.ok(source.includes('DEVELOPMENT = false'));
    const artifact = await compileVerifier('DisclosureVerifier', source);
    const chain = await startDevChain({ chainId: 4321, accountCount: 1 });
    try {
      const owner = chain.wallet(0);
      const verifier = new ContractAccess(artifact, await deployContract(owner, artifact, []), owner);
      const { a, b, c } = disclosure.proof;
      const ask = async (index: number): Promise<unknown> => {
        const statement = { ...disclosure.statement, index };
        const signals = disclosureSignals(disclosure.tensor, made.receipt.outputCommitment, statement);
        return (await verifier.read('verifyProof', [a, b, c, signals]))[0];
      };
      assert.deepEqual([await ask(0), await ask(1)], [true, false]);
    } finally {
      await chain.close();
    }
  });

  it('counts for nobody whose list does not name the key, as the repository names none', async () => {
    const table = ['--rehearsal-table', at('table.json')];
    await rejectsCode(verify(['--ceremony', at('exported'), ...table]), 'STUN_CEREMONY_NOT_ALLOWED');
    await rejectsCode(disclose(['--ceremony', at('exported'), ...table]), 'STUN_CEREMONY_NOT_ALLOWED');
    await writeFile(at('other.json'), JSON.stringify([{ ...allowed, transcriptHash: `0x${'11'.repeat(32)}` }]));
    await rejectsCode(verify(key(at('exported'), at('other.json'))), 'STUN_CEREMONY_TRANSCRIPT');
  });

  it('counts for nobody who wants published powers of tau', async () => {
    await rejectsCode(verify(key().slice(0, 4)), 'STUN_CEREMONY_PTAU_DIGEST');
  });

  it('is refused under the development key, and without the ceremony that options are about', async () => {
    await rejectsCode(verify(key().slice(2)), 'STUN_INPUT');
    await rejectsCode(verify([]), 'STUN_PROOF_INVALID');
  });

  it('is refused beside an audit bundle that does not hold', async () => {
    await rejectsCode(verify([...key(), '--audit', at('table.json')]), 'STUN_AUDIT_REFUTED');
  });

  it('is refused for outputs of another shape than the ceremony was held for', async () => {
    const { tensor } = disclosure;
    const shape = { ...tensor.shape, scale: tensor.shape.scale + 1 };
    await writeFile(at('scaled.json'), JSON.stringify({ ...disclosure, tensor: { ...tensor, shape } }));
    await rejectsCode(verify(key(), at('scaled.json')), 'STUN_CEREMONY_CIRCUIT');
  });

  it('is not made with another proving key than the transcript names', async () => {
    await cp(at('exported'), at('other-key'), { recursive: true });
    await cp(held.openKeyPath, join(at('other-key'), CEREMONY_FILES.zkey));
    await rejectsCode(disclose(key(at('other-key'))), 'STUN_PROVER_KEY');
  });

  it('is exported for circuits of disclosures alone, and without jobs', async () => {
    const { directory } = await compiledFixture();
    const args = ['ceremony', 'export', held.keyPath, '--transcript', held.transcriptPath, '--out', at('none')];
    await rejectsCode(stun([...args, '--disclosure', directory, '--jobs', '4']), 'STUN_INPUT');
    await rejectsCode(stun([...args, '--disclosure', directory, '--r1cs', held.ground.r1csPath]), 'STUN_INPUT');
    const settling = [...args, '--r1cs', held.ground.r1csPath, '--contract', 'V', '--jobs', '4'];
    await rejectsCode(stun(settling), 'STUN_CEREMONY_CIRCUIT');
  });
});
