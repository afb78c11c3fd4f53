import { close, constants, fdatasync, fsync, ftruncate, open, statfs, writev } from 'node:fs';

type Done = (error: Error | null) => void;

/** What the writer needs of the file system; tests pass one that fails on purpose. */
export interface JournalFs {
  /** Creates a file for appending, mode 0600; an existing one is an error. */
  create(path: string, done: (error: Error | null, fd: number) => void): void;
  writev(fd: number, buffers: readonly Buffer[], done: (error: Error | null, written: number) => void): void;
  truncate(fd: number, length: number, done: Done): void;
  sync(fd: number, done: Done): void;
  syncDirectory(path: string, done: Done): void;
  close(fd: number, done: Done): void;
  /** Free and total bytes of the disk under `path`; undefined when unknown. */
  space(path: string, done: (space: { free: number; total: number } | undefined) => void): void;
}

const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;

export const nodeJournalFs: JournalFs = {
  create: (path, done) => open(path, CREATE_FLAGS, 0o600, done),
  writev: (fd, buffers, done) => writev(fd, buffers, null, (error, written) => done(error, written)),
  truncate: (fd, length, done) => ftruncate(fd, length, done),
  sync: (fd, done) => fdatasync(fd, done),
  syncDirectory(path, done) {
    // Windows cannot open a directory; there the entry is as durable as the file system makes it.
    open(path, constants.O_RDONLY, (openError, fd) => {
      if (openError !== null) return done(null);
      fsync(fd, (syncError) => close(fd, () => done(syncError)));
    });
  },
  close: (fd, done) => close(fd, done),
  space(path, done) {
    statfs(path, (error, stats) => {
      done(
        error === null ? { free: stats.bavail * stats.bsize, total: stats.blocks * stats.bsize } : undefined,
      );
    });
  },
};
