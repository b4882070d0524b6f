import assert from 'node:assert/strict';
import { evidenceFetch } from '#cli/commands/evidence-fetch.ts';
import { evidenceWayOf } from '#cli/commands/evidence-options.ts';
import { evidenceInspect, evidenceVerify } from '#cli/commands/evidence.ts';
import { buildProgram } from '#cli/program.ts';
import { Runner } from '#cli/runner.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { rejectsCode } from '../assert-code.ts';

const sources = ['quote', 'report', 'gpu', 'evidence', 'case', 'ear', 'nras'];
/** What may be held against any source. */
const everywhere = ['at', 'policy'];
/** Every other option of `stun evidence verify`, and the sources that look at it. */
const seenBy: Readonly<Record<string, string>> = {
  collateral: 'quote',
  vek: 'report',
  ask: 'report',
  ark: 'report',
  crl: 'report',
  chain: 'gpu',
  ocsp: 'gpu',
  rim: 'gpu',
  nonce: 'gpu nras',
  ocspAt: 'gpu case',
  rimAt: 'gpu case',
  keysetDigest: 'evidence ear',
  jwks: 'ear nras',
  issuer: 'ear nras',
  root: 'quote report gpu evidence case',
  fetch: 'quote report gpu evidence',
  bundle: 'quote report gpu evidence',
  saveBundle: 'quote report gpu evidence',
  cache: 'quote report gpu evidence',
  pccs: 'quote evidence',
  kds: 'report evidence',
};
const flag = (name: string): string => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The reason of a refusal that came before any file was looked for: none of them exists. */
async function refusalOf(options: object): Promise<string> {
  const thrown: unknown = await evidenceVerify(options).then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof StunError, `${JSON.stringify(options)} was accepted`);
  assert.equal(thrown.code, 'STUN_INPUT');
  return thrown.message;
}

describe('options of stun evidence verify', () => {
  it('are these', () => {
    const context = { progress: () => undefined, signal: new AbortController().signal };
    const evidence = buildProgram(new Runner(context)).commands.find((command) => command.name() === 'evidence');
    const verify = evidence?.commands.find((command) => command.name() === 'verify');
    const own = verify?.options.map((option) => option.attributeName()) ?? [];
    assert.deepEqual(new Set([...own, 'root']), new Set([...sources, ...everywhere, ...Object.keys(seenBy)]));
  });

  for (const source of sources) {
    for (const [option, seers] of Object.entries(seenBy)) {
      if (seers.split(' ').includes(source)) {
        it(`takes ${flag(option)} with ${flag(source)}`, () => {
          assert.equal(evidenceWayOf({ [source]: 'x', [option]: 'x' }), source);
        });
        continue;
      }
      it(`refuses ${flag(option)} with ${flag(source)}, and names both`, async () => {
        const reason = await refusalOf({ [source]: 'absent', [option]: 'absent' });
        assert.ok(reason.startsWith(`${flag(option)} `) && reason.includes(`not with ${flag(source)},`), reason);
      });
    }
    for (const other of sources.filter((name) => name !== source)) {
      if ([source, other].includes('ear') && !['case', 'nras'].some((name) => [source, other].includes(name))) continue;
      it(`refuses ${flag(source)} with ${flag(other)}`, async () => {
        await refusalOf({ [source]: 'absent', [other]: 'absent' });
      });
    }
  }

  it('name one thing that a result is about', async () => {
    assert.equal(evidenceWayOf({ ear: 'x', evidence: 'x' }), 'ear');
    assert.match(await refusalOf({ ear: 'absent', evidence: 'absent', quote: 'absent' }), /about one thing/);
  });

  it('say what can be named when they name nothing', async () => {
    for (const option of Object.keys(seenBy)) assert.match(await refusalOf({ [option]: 'absent' }), /^name the evidence: /);
  });

  it('are held to the same by inspect and fetch', async () => {
    await rejectsCode(evidenceInspect({ quote: 'absent', vek: 'absent' }), 'STUN_INPUT');
    for (const stray of [{ vek: 'absent' }, { kds: 'https://kds.example' }])
      await rejectsCode(evidenceFetch({ quote: 'absent', out: 'absent', ...stray }), 'STUN_INPUT');
  });
});
