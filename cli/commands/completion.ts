/** `stun completion SHELL`: scripts made from the command tree itself, so that they cannot lag behind it. */
import type { Command } from 'commander';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { CommandResult } from '../command.ts';

interface Words {
  /** Names of commands down to this one, without `stun`; empty for the top. */
  readonly path: readonly string[];
  readonly commands: readonly string[];
  readonly options: readonly string[];
}

function wordsOf(command: Command, path: readonly string[], inherited: readonly string[]): Words[] {
  const own = command.options.flatMap((option) => (option.long === undefined ? [] : [option.long]));
  const options = [...own.filter((name) => !inherited.includes(name)), ...inherited];
  const commands = command.commands.map((child) => child.name());
  return [
    { path, commands, options },
    ...command.commands.flatMap((child) => wordsOf(child, [...path, child.name()], inherited)),
  ];
}

function bash(all: readonly Words[]): string {
  const cases = all.map(
    ({ path, commands, options }) => `    '${path.join(' ')}') words='${[...commands, ...options].join(' ')}' ;;`,
  );
  return `# bash completion of stun: source it, or put it into ~/.local/share/bash-completion/completions/stun
_stun() {
  local path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  while :; do
    case "$path" in
${cases.map((line) => `  ${line}`).join('\n')}
    esac
    [ -n "$words" ] && break
    case "$path" in *' '*) path="\${path% *}" ;; *) path='' ;; esac
  done
  if [ "\${COMP_WORDS[COMP_CWORD]:0:1}" = - ] || [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  fi
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _stun stun`;
}

function zsh(all: readonly Words[]): string {
  return `#compdef stun\nautoload -U +X bashcompinit && bashcompinit\n${bash(all)}`;
}

function fish(all: readonly Words[]): string {
  const lines = ['# fish completion of stun: put it into ~/.config/fish/completions/stun.fish'];
  for (const { path, commands, options } of all) {
    const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
    const none = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${commands.join(' ')}`];
    const condition = [...seen, ...none].join('; and ');
    const when = condition === '' ? '' : ` -n '${condition}'`;
    for (const name of commands) lines.push(`complete -c stun${when} -f -a ${name}`);
    for (const name of options) lines.push(`complete -c stun${when} -l ${name.slice(2)}`);
  }
  return lines.join('\n');
}

/** The script for a shell. @throws `STUN_INPUT` for an unknown one */
export function completion(program: Command, shell: string): Promise<CommandResult> {
  const writers: Readonly<Record<string, (all: readonly Words[]) => string>> = { bash, zsh, fish };
  const write = Object.hasOwn(writers, shell) ? writers[shell] : undefined;
  if (write === undefined) throw new StunError('STUN_INPUT', 'the shell must be bash, zsh or fish');
  const inherited = program.options.flatMap((option) => (option.long === undefined ? [] : [option.long]));
  const script = write(wordsOf(program, [], inherited));
  return Promise.resolve({ document: { shell, script }, text: script, exitCode: 0 });
}
