// Loaded into each service before its own code (node --import). The supervisor holds the other end of the channel:
// when it dies without having stopped us, the channel closes, and the service drains and ends by itself.
if (process.connected) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // The listener alone would keep the service running for ever.
  process.channel?.unref();
}
