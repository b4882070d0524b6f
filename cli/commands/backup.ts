/** `stun backup export|restore`. */
import { StunError } from '#protocol/index.ts';
import { exportBackup, openStore, restoreBackup } from '#client/index.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { homeOf, passphraseOf, readText, secretOf } from '../settings.ts';
import { save } from './result.ts';

async function backupPassphrase(): Promise<string> {
  return (await secretOf('STUN_BACKUP_PASSPHRASE')) ?? (await passphraseOf());
}

/** Writes a backup, sealed under STUN_BACKUP_PASSPHRASE or else the store's own passphrase. */
export async function backupExport({ options, context }: Invocation<{ out: string }>): Promise<CommandResult> {
  const store = await openStore(homeOf(options), await passphraseOf());
  context.progress('sealing the backup');
  const { text, orders } = await exportBackup(store.orders, await backupPassphrase());
  await save(options.out, `${text}\n`);
  return {
    document: { file: options.out, orders },
    text: `${orders} orders sealed into ${options.out}. Lanes are not in it: a restored client opens new ones.`,
    exitCode: 0,
  };
}

/** Puts the orders of a backup into the store. */
export async function backupRestore({ args, options, context }: Invocation<object>): Promise<CommandResult> {
  const [path] = args;
  if (path === undefined) throw new StunError('STUN_INPUT', 'a backup file was expected');
  const text = await readText(path, 'backup');
  const store = await openStore(homeOf(options), await passphraseOf());
  context.progress('opening the backup');
  const { restored, present } = await restoreBackup(store.orders, await backupPassphrase(), text);
  return {
    document: { restored, present },
    text: `${restored.length} orders restored, ${present.length} were there. Jobs and results are not part of a backup.`,
    exitCode: 0,
  };
}
