import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalPolicyJson, encodeEvidence, parseEvidence, parseSnpReport, snpCollateralKeyOf } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { encodePem } from '#attestation/x509/pem.ts';
import { evidenceFetch } from '#cli/commands/evidence-fetch.ts';
import { evidenceVerify } from '#cli/commands/evidence.ts';
import type { CommandResult } from '#cli/command.ts';
import type { IntelCollateralDocument } from '#collateral/intel-pcs.ts';
import { toHex } from '#protocol/bytes.ts';
import { answers, recorded } from '../collateral/fetched-collateral.ts';
import type { Recorded } from '../collateral/fetched-collateral.ts';
import { rejectsCode } from '../assert-code.ts';
import { acceptedCollateral, acceptedQuote, atUnix, keysetDigest, machine, nonce, pki, reportData } from './simulated-fixture.ts';
import { sgxMachine, sgxPolicyWith } from './sgx-fixture.ts';
import { snpMachine } from './snp-fixture.ts';

function codeOf({ document }: CommandResult): unknown {
  return (document as Readonly<Record<string, unknown>>)['code'];
}

describe('stun evidence with collateral that it gets', () => {
  const snp = snpMachine();
  const snpReport = snp.report(reportData);
  const namedSgx = sgxMachine({ certificationType: 1 });
  let folder = '';
  const path = (name: string): string => join(folder, name);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stun-fetch-'));
    const expired = {
      ...parseEvidence(machine().evidence(keysetDigest, nonce)),
      collateral: machine({ atUnix: atUnix - 90 * 86_400 }).collateral,
    };
    for (const [name, content] of [
      ['quote.bin', acceptedQuote],
      ['short.bin', acceptedQuote.subarray(0, 600)],
      ['sgx.bin', namedSgx.quote(reportData)],
      ['report.bin', snpReport],
      ['old.json', encodeEvidence(expired as Parameters<typeof encodeEvidence>[0])],
      ['policy.json', canonicalPolicyJson(simulatedPolicy)],
      ['sgx-policy.json', canonicalPolicyJson(sgxPolicyWith({}))],
      ['root.json', JSON.stringify(pki.root)],
      ['amd-root.json', JSON.stringify(snp.root)],
    ] as const)
      await writeFile(path(name), content);
  });
  after(async () => rm(folder, { recursive: true }));

  const intel = (): Recorded => recorded(answers(acceptedCollateral as IntelCollateralDocument));
  const nobody = (): Recorded => recorded(new Map());
  const amd = (): Recorded => {
    const { product, hwid } = snpCollateralKeyOf(parseSnpReport(snpReport));
    const { vek, ask, ark, crl } = snp.endorsements;
    return recorded(
      new Map([
        [`/vcek/v1/${product}/${hwid}`, () => new Response(new Uint8Array(vek))],
        [`/vcek/v1/${product}/cert_chain`, () => new Response(encodePem(ask) + encodePem(ark))],
        [`/vcek/v1/${product}/crl`, () => new Response(new Uint8Array(crl ?? []))],
      ]),
    );
  };
  const rules = (root = 'root.json'): { policy: string; root: string; at: number } => {
    return { policy: path('policy.json'), root: path(root), at: atUnix };
  };

  it('uses the network only when it is told to', async () => {
    const outside = intel();
    await rejectsCode(evidenceVerify({ quote: path('quote.bin'), ...rules() }, outside), 'STUN_INPUT');
    assert.equal(outside.urls.length, 0);
    const said: string[] = [];
    const options = { quote: path('quote.bin'), fetch: true, ...rules() };
    const result = await evidenceVerify(options, outside, (line) => void said.push(line));
    assert.equal(said.length, 1);
    assert.deepEqual([result.exitCode, codeOf(result)], [0, undefined]);
    assert.equal(outside.urls.length, 4);
  });

  it('shows Intel the key of STUN_CLI_PCS_KEY, and a PCCS none', async () => {
    const shown = async (options: object): Promise<unknown> => {
      const outside = intel();
      await evidenceVerify({ quote: path('quote.bin'), fetch: true, ...options, ...rules() }, outside);
      return new Headers(outside.requests[0]?.headers).get('ocp-apim-subscription-key');
    };
    assert.equal(await shown({}), null);
    process.env['STUN_CLI_PCS_KEY'] = 'a key';
    try {
      assert.equal(await shown({}), 'a key');
      assert.equal(await shown({ pccs: 'https://pccs.example' }), null);
    } finally {
      delete process.env['STUN_CLI_PCS_KEY'];
    }
  });

  it('leaves a bundle with which the same is verified without a network', async () => {
    const saveBundle = path('bundle.json');
    await evidenceVerify({ quote: path('quote.bin'), fetch: true, saveBundle, ...rules() }, intel());
    const offline = await evidenceVerify({ quote: path('quote.bin'), bundle: saveBundle, ...rules() }, nobody());
    assert.equal(offline.exitCode, 0);
    const other = { report: path('report.bin'), bundle: saveBundle, ...rules('amd-root.json') };
    await rejectsCode(evidenceVerify(other, nobody()), 'STUN_COLLATERAL_NOT_FOUND');
  });

  it('keeps what it fetched in a cache', async () => {
    const now = Math.floor(Date.now() / 1000);
    const today = machine({ atUnix: now });
    await writeFile(path('today.bin'), today.quote(reportData));
    const options = { quote: path('today.bin'), fetch: true, cache: path('cache'), ...rules(), at: now };
    await evidenceVerify(options, recorded(answers(today.collateral as IntelCollateralDocument)));
    const again = nobody();
    assert.equal((await evidenceVerify(options, again)).exitCode, 0);
    assert.equal(again.urls.length, 0);
  });

  it('gets a SEV-SNP report its endorsements', async () => {
    const result = await evidenceVerify({ report: path('report.bin'), fetch: true, ...rules('amd-root.json') }, amd());
    assert.deepEqual([result.exitCode, codeOf(result)], [0, undefined]);
  });

  it('asks a PCCS for the PCK certificate of a quote that only names it', async () => {
    const { pck_certificate_chain: chain = '', ...rest } = namedSgx.collateral;
    const [leaf = '', ...authorities] = chain.split(/(?=-----BEGIN)/);
    const headers = { 'SGX-PCK-Certificate-Issuer-Chain': encodeURIComponent(authorities.join('')) };
    const replies = answers(rest as IntelCollateralDocument, 'sgx');
    const outside = recorded(replies.set('/sgx/certification/v4/pckcert', () => new Response(leaf, { headers })));
    const options = { quote: path('sgx.bin'), fetch: true, ...rules(), policy: path('sgx-policy.json') };
    await rejectsCode(evidenceVerify(options, outside), 'STUN_PCK_MISSING');
    const result = await evidenceVerify({ ...options, pccs: 'http://pccs.example:8081' }, outside);
    assert.deepEqual([result.exitCode, codeOf(result)], [0, undefined]);
    assert.ok(outside.urls.every((url) => url.startsWith('http://pccs.example:8081/')));
  });

  it('verifies an old document with the collateral of today', async () => {
    const options = { evidence: path('old.json'), keysetDigest: toHex(keysetDigest), ...rules() };
    assert.equal(codeOf(await evidenceVerify(options, nobody())), 'STUN_CRL_EXPIRED');
    assert.equal((await evidenceVerify({ ...options, fetch: true }, intel())).exitCode, 0);
  });

  it('answers for evidence that cannot be read before it asks anybody', async () => {
    const outside = intel();
    const result = await evidenceVerify({ quote: path('short.bin'), fetch: true, ...rules() }, outside);
    assert.deepEqual([codeOf(result), outside.urls.length], ['STUN_QUOTE_FORMAT', 0]);
  });

  it('says when the vendor does not answer or does not know the platform', async () => {
    const options = { quote: path('quote.bin'), fetch: true, ...rules() };
    await rejectsCode(evidenceVerify(options, nobody()), 'STUN_COLLATERAL_UNAVAILABLE');
    const unknown = recorded(
      answers(acceptedCollateral as IntelCollateralDocument).set(
        '/tdx/certification/v4/tcb',
        () => new Response('', { status: 404 }),
      ),
    );
    await rejectsCode(evidenceVerify(options, unknown), 'STUN_COLLATERAL_NOT_FOUND');
  });

  it('fetches into a file that verify and workers read', async () => {
    const out = path('fetched.json');
    const result = await evidenceFetch({ quote: path('quote.bin'), out }, intel());
    assert.match(result.text, /Nothing in it is verified/);
    assert.deepEqual(JSON.parse(await readFile(out, 'utf8')), acceptedCollateral);
    assert.equal((await evidenceVerify({ quote: path('quote.bin'), collateral: out, ...rules() })).exitCode, 0);
    const endorsements = path('endorsements.json');
    await evidenceFetch({ report: path('report.bin'), out: endorsements }, amd());
    assert.deepEqual(Object.keys(JSON.parse(await readFile(endorsements, 'utf8')) as object), ['vek', 'ask', 'ark', 'crl']);
    await rejectsCode(evidenceFetch({ quote: path('quote.bin'), out: path('absent/x') }, intel()), 'STUN_FILE');
  });

  it('refuses options that do not go together', async () => {
    const quote = path('quote.bin');
    for (const options of [
      { quote, fetch: true, bundle: path('bundle.json') },
      { quote, cache: folder },
      { quote, fetch: true, pccs: 'pccs.example' },
      { quote, collateral: path('fetched.json'), fetch: true },
      { case: folder, fetch: true },
      { quote, vek: quote, fetch: true },
    ])
      await rejectsCode(evidenceVerify(options, nobody()), 'STUN_INPUT');
    await rejectsCode(evidenceFetch({ out: path('x') }, nobody()), 'STUN_INPUT');
    await rejectsCode(evidenceFetch({ quote, report: quote, out: path('x') }, nobody()), 'STUN_INPUT');
  });
});
