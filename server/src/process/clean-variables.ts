/** The environment of our child processes: what makes Node.js debug, preload or find something is not passed on. */

/** This process's variables without those that change what Node.js loads; Electron's executable is to be plain Node.js. */
export function cleanVariables(): NodeJS.ProcessEnv {
  const variables: NodeJS.ProcessEnv = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
  delete variables["NODE_OPTIONS"];
  delete variables["NODE_PATH"];
  delete variables["VSCODE_INSPECTOR_OPTIONS"];
  return variables;
}
