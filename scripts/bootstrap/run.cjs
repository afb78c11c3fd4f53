'use strict';
const { spawn } = require('node:child_process');

const REMIND_MS = 10000;
const KEPT_CHARACTERS = 4000;

/**
 * Runs a program quietly: one line at the beginning, one every ten seconds, and its last output only when it fails.
 * @param {string} label what is being done, for the lines
 * @param {string[]} command program and arguments
 * @param {{ cwd: string, env?: object, shell?: boolean }} options
 */
function run(label, command, options) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  console.log(label + ' ...');
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], command.slice(1), {
      cwd: options.cwd,
      env: options.env || process.env,
      shell: options.shell || false,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-KEPT_CHARACTERS);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const reminder = setInterval(() => console.log(label + ' ... ' + seconds() + ' s'), REMIND_MS);
    child.on('error', (error) => {
      clearInterval(reminder);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearInterval(reminder);
      if (code === 0) {
        console.log(label + ': done in ' + seconds() + ' s');
        resolve();
        return;
      }
      const reason = code === null ? 'signal ' + signal : 'exit code ' + code;
      reject(new Error(label + ' ended with ' + reason + '\n' + output.trim()));
    });
  });
}

/** Environment for an npm of our own: without what the outer `npm run` says about itself. */
function npmEnvironment() {
  const env = Object.assign({}, process.env);
  for (const name of Object.keys(env)) {
    if (
      /^npm_(config_local_prefix|config_global|config_global_prefix|config_prefix|lifecycle|package)/.test(
        name,
      )
    ) {
      delete env[name];
    }
  }
  // Set by users for production; the tools that build and check are development dependencies.
  delete env.NODE_ENV;
  delete env.npm_config_omit;
  return env;
}

/** Program and first arguments of npm: the one that runs us, else the one on the PATH. */
function npmCommand() {
  const outer = process.env.npm_execpath;
  if (outer && outer.endsWith('npm-cli.js')) return { command: [process.execPath, outer], shell: false };
  return { command: ['npm'], shell: process.platform === 'win32' };
}

module.exports = { npmCommand, npmEnvironment, run };
