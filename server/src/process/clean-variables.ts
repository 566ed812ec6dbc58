/** The environment of our child processes: what makes Node.js debug, preload or find something is not passed on. */

/** This process's variables without those that change what Node.js loads; Electron's executable is to be plain Node.js. */
export function cleanVariables(): NodeJS.ProcessEnv {
  const variables: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
  for (const name of ["NODE_OPTIONS", "NODE_PATH", "VSCODE_INSPECTOR_OPTIONS"]) delete variables[name];
  return variables;
}
