/** Marks our servers in the process list, so that a left-over one can be told from somebody else's. */
export const CLUSTER_NAME = 'claude-nexus';

/**
 * @param options.durable false gives up crash safety for speed: tests only
 * @returns server settings for one small gateway on a shared machine
 */
export function serverSettings(options: { port: number; durable: boolean }): Record<string, string> {
  return {
    cluster_name: CLUSTER_NAME,
    port: String(options.port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: '100',
    shared_buffers: '128MB',
    work_mem: '8MB',
    maintenance_work_mem: '64MB',
    // Content is compressed already and rows are small: just-in-time compilation only costs start-up.
    jit: 'off',
    // There is no replica; the log is for crash recovery only.
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_wal_size: '1GB',
    checkpoint_timeout: '15min',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements and details can hold passwords and recorded text: neither belongs in a log file.
    log_min_messages: 'warning',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...(options.durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
  };
}
