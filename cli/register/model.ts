/** Commands on models that are compiled to circuits. */
import type { Command } from 'commander';
import { collect, type Runner } from '../runner.ts';

/** Adds them. */
export function registerModel(program: Command, runner: Runner): void {
  const model = program.command('model').description('compile models whose inference can be proven');
  runner.handle(
    model
      .command('compile')
      .argument('<file>', 'an ONNX model')
      .requiredOption('--out <dir>', 'folder to make')
      .option('--calibrate <csv>', 'rows with a header: needed for layers, and for the accuracy statement')
      .option('--label <column>', 'column of the label in those rows')
      .option('--name <name>', "the model's name in its manifest (the file's name)")
      .option('--weight-bits <bits>', 'bits of a weight of affine layers, 4 to 16', '8')
      .option('--circom', 'write the circuit as circom too, for review')
      .description('write integer model, circuit, development key and manifest'),
    async () => (await import('../commands/model.ts')).modelCompile,
  );
  runner.handle(
    model
      .command('adopt-key')
      .argument('<folder>', 'of a compiled model with its development key')
      .argument('<key>', "the final key of the ceremony of that model's constraints")
      .requiredOption('--transcript <file>', 'its transcript')
      .requiredOption('--ptau <file>', 'powers of tau, prepared for phase 2')
      .option('--rehearsal-table <file>', 'digests of powers of tau to accept in place of the published ones; no deployment does')
      .requiredOption('--out <dir>', 'folder to make')
      .description('verify a finished ceremony of a compiled model and write the folder with its key'),
    async () => (await import('../commands/model-adopt.ts')).modelAdoptKey,
  );
  runner.handle(
    model
      .command('quantise')
      .argument('<folder>', 'of a compiled model')
      .requiredOption('--rows <csv>', 'rows of raw features, with a header')
      .option('--label <column>', 'a column to leave out')
      .option('--cut-off', 'take the nearest value in the calibrated range for each that lies beyond it')
      .requiredOption('--out <file>', 'where to write the inputs that submit takes')
      .description('turn rows of raw features into the integers that a compiled model takes'),
    async () => (await import('../commands/model-quantise.ts')).modelQuantise,
  );
  runner.handle(
    model
      .command('approve')
      .argument('<folder>', 'of a compiled model')
      .requiredOption('--out <file>', 'where to write the approval')
      .option('--deadline <time>', 'until when it can be used: a duration from now on or unix seconds', '7d')
      .description("coordinator: approve the ceremony of a model's key, after verifying its transcript"),
    async () => (await import('../commands/model-register.ts')).modelApprove,
  );
  runner.handle(
    model
      .command('register')
      .argument('<folder>', 'of a compiled model')
      .option('--approval <file>', "a coordinator's approval; repeatable, none for a development key", collect)
      .description('register a model, so that orders above attested can name it; development keys on chain id 31337 alone'),
    async () => (await import('../commands/model-register.ts')).modelRegister,
  );
}
