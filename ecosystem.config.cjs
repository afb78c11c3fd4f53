'use strict';

// Two proxies and a dashboard under PM2, to start after the database has been prepared; docs/operations.md has the steps.
//
// Their settings are in files that Node reads itself, so that PM2 sees, stores and shows no password, and each program only
// what it needs: .env.proxy (DATABASE_URL, ...) and .env.dashboard (DATABASE_URL, DASHBOARD_API_KEY, ...). What is set
// here goes over what is set there.

const path = require('node:path');

const node = path.join(__dirname, 'node_modules', '.bin', 'node');

function app(name, { service, killTimeout, env }) {
  return {
    name,
    cwd: __dirname,
    // PM2 itself may run on another Node, and would load the program into a script of its own.
    script: node,
    interpreter: 'none',
    args: [`--env-file=.env.${service}`, `services/${service}/src/main.ts`],
    env,
    kill_timeout: killTimeout,
    exp_backoff_restart_delay: 500,
  };
}

function proxy(number, { port, metricsPort }) {
  return app(`nexus-proxy-${number}`, {
    service: 'proxy',
    // DRAIN_TIMEOUT, and what it takes to close afterwards.
    killTimeout: 330_000,
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      // A spool is for one process alone.
      SPOOL_DIR: `.data/spool-${number}`,
      DRAIN_TIMEOUT: '300s',
    },
  });
}

module.exports = {
  apps: [
    proxy(1, { port: 3000, metricsPort: 9090 }),
    proxy(2, { port: 3002, metricsPort: 9092 }),
    app('nexus-dashboard', {
      service: 'dashboard',
      killTimeout: 15_000,
      env: { HOST: '127.0.0.1', PORT: '3001', METRICS_PORT: '9091' },
    }),
  ],
};
