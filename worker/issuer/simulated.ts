/**
 * Evidence of simulated hardware, for trial and tests. It protects nothing: anybody who holds the PKI file can make it. The only
 * file of the worker that knows the simulator.
 */
import { createHash } from 'node:crypto';
import { importSimulatedPki } from '#attestation/simulated/pki.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import { fromHex, PLATFORM } from '#protocol/index.ts';
import type { EvidenceIssuer } from './issuer.ts';

/**
 * An issuer that simulates a TDX machine of its own for a provider: the same machine after every restart.
 * @param pkiText - the PKI file's text; whoever should accept the evidence names its root
 * @param nowUnix - the clock, for the collateral's dates
 */
export function createSimulatedIssuer(pkiText: string, provider: string, nowUnix: () => number): EvidenceIssuer {
  const pki = importSimulatedPki(pkiText);
  const ppid = createHash('sha256')
    .update('stun/simulated-ppid/v1')
    .update(fromHex(provider, 20, 'provider'))
    .digest()
    .subarray(0, 16);
  const machine = createSimulatedTdx({ atUnix: nowUnix(), pki, ppid });
  return {
    description: 'SIMULATED TDX (protects nothing)',
    simulated: true,
    platformCode: PLATFORM.simulatedTdx,
    issue: (reportData) =>
      Promise.resolve({ kind: 'tdx', quote: machine.quote(reportData), collateral: { ...machine.collateralAt(nowUnix()) } }),
  };
}
