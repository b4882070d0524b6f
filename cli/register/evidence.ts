/** Commands on hardware evidence in files. */
import type { Command } from 'commander';
import type { EvidenceCollectOptions } from '../commands/evidence-collect.ts';
import type { EvidenceFetchOptions } from '../commands/evidence-fetch.ts';
import type { EvidenceSource } from '../commands/evidence-source.ts';
import type { EvidenceVerifyOptions } from '../commands/evidence.ts';
import type { Invocation, Runner } from '../runner.ts';

function sources(command: Command): Command {
  return command
    .option('--quote <file>', 'a quote, with --collateral')
    .option('--collateral <file>', 'its collateral as JSON')
    .option('--report <file>', 'a SEV-SNP report, with --vek, --ask and --ark')
    .option('--vek <file>', 'its VCEK or VLEK certificate, DER or PEM')
    .option('--ask <file>', 'the ASK or ASVK certificate, DER or PEM')
    .option('--ark <file>', 'the ARK certificate, DER or PEM')
    .option('--crl <file>', "the ARK's CRL, DER")
    .option('--gpu <file>', 'a GPU report, with --chain')
    .option('--chain <file>', "its device's certificate chain, PEM")
    .option('--ocsp <file...>', 'OCSP responses about that chain and those of the RIM documents, DER')
    .option('--rim <file...>', "RIM documents of the device's driver and VBIOS, XML")
    .option('--evidence <file>', 'an evidence document, instead of quote and collateral')
    .option('--case <dir>', 'a folder with the files of one of these, as in the test vectors');
}

function collateralWays(command: Command): Command {
  return command
    .option('--bundle <file>', 'take collateral from a bundle; nothing is asked')
    .option('--save-bundle <file>', 'leave what was fetched in a bundle, for machines without a network')
    .option('--cache <dir>', 'keep what was fetched, and ask again after a day')
    .option('--pccs <url>', 'ask this PCCS instead of Intel (whose key for PCK certificates is STUN_CLI_PCS_KEY)')
    .option('--kds <url>', "ask here instead of AMD's key distribution service");
}

/** Adds them. */
export function registerEvidence(program: Command, runner: Runner): void {
  runner.handle(
    program
      .command('policy')
      .description('policies that evidence must satisfy')
      .command('show')
      .option('--simulated', 'admit simulated hardware, for trial')
      .description('print the default policy, to change and name with --policy'),
    async () => (await import('../commands/policy.ts')).policyShow,
  );
  const evidence = program.command('evidence').description('verify, inspect and collect hardware evidence');
  runner.handle(
    collateralWays(
      sources(
        evidence.command('verify').description('verify signatures, chains and currency, then validate by a policy; offline'),
      ),
    )
      .option(
        '--fetch',
        'ask the vendor for the collateral (of a GPU: OCSP responses and RIM documents): the one way in which this command uses the network',
      )
      .option('--at <unix>', 'time to verify at (now)')
      .option('--ocsp-at <unix>', 'time at which OCSP responses about the device should hold (that of --at)')
      .option('--rim-at <unix>', 'time at which RIM documents, and OCSP responses about their chains, should hold (that of --at)')
      .option('--policy <file>', 'a policy as JSON (the default policy)')
      .option('--nonce <hex>', 'what the GPU report or the answer of --nras was asked for with')
      .option('--keyset-digest <hex>', 'what an evidence document, or what --ear is about, must bind')
      .option(
        '--ear <file>',
        "a verifier's attestation result, instead of evidence; with --jwks, and one of --evidence, --quote, --report and --gpu that it must be about",
      )
      .option('--nras <file>', "an answer of NVIDIA's attestation service, instead of a GPU report; with --jwks and --nonce")
      .option('--jwks <file>', 'the keys of verifiers that are trusted')
      .option('--issuer <origin>', 'the verifier that must have issued it'),
    async () => {
      const { evidenceVerify } = await import('../commands/evidence.ts');
      return ({ options, context }: Invocation<EvidenceVerifyOptions>) => evidenceVerify(options, undefined, context.progress);
    },
  );
  runner.handle(
    collateralWays(
      evidence
        .command('fetch')
        .description("ask a quote's or report's vendor for its collateral")
        .option('--quote <file>', 'a quote of TDX or SGX')
        .option('--report <file>', 'a SEV-SNP report')
        .option('--vek <file>', 'its VLEK certificate, DER, when a VLEK signed it')
        .requiredOption('--out <file>', 'where the collateral is written, as verify --collateral and workers read it'),
    ),
    async () => {
      const { evidenceFetch } = await import('../commands/evidence-fetch.ts');
      return ({ options, context }: Invocation<EvidenceFetchOptions>) => evidenceFetch(options, undefined, context.progress);
    },
  );
  runner.handle(
    collateralWays(
      evidence
        .command('collect')
        .description('make evidence of this machine over a nonce; verifies nothing')
        .requiredOption('--nonce <hex>', "32 bytes: a recent block hash, or a customer's own")
        .requiredOption('--out <file>', 'where the evidence document is written')
        .option('--keyset-digest <hex>', 'what the evidence binds besides (64 zeros, which is no keyset)')
        .option('--platform <name>', 'auto, tdx, sev-snp or simulated (auto)')
        .option('--pki <file>', 'the simulated PKI, with --platform simulated')
        .option('--collateral <file>', "the vendor's collateral, as fetch writes it")
        .option(
          '--fetch',
          'ask the vendors for it, and for what GPUs are verified with: the one way in which this command uses the network',
        )
        .option('--gpu', 'show the GPUs too, by what nvattest collects')
        .option('--nvattest <path>', 'where that program is, implies --gpu (nvattest)'),
    ),
    async () => {
      const { evidenceCollect } = await import('../commands/evidence-collect.ts');
      return ({ options, context }: Invocation<EvidenceCollectOptions>) => evidenceCollect(options, undefined, context.progress);
    },
  );
  runner.handle(
    sources(evidence.command('inspect').description('show every field with its meaning; verifies nothing')),
    async () => {
      const { evidenceInspect } = await import('../commands/evidence.ts');
      return ({ options }: Invocation<EvidenceSource>) => evidenceInspect(options);
    },
  );
}
