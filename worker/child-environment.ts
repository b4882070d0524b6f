/** What programs that the worker starts see of its environment. */

/**
 * The environment for a child process: everything but the variables of this project, which hold the worker's secrets.
 * A secret under another name is not known here and is passed on.
 * @param environment - variable names and values
 */
export function childEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('STUN_')));
}
