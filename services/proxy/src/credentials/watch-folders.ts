import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

/** Watches a changing set of folders. Best effort: the poll of the owner finds whatever is missed here. */
export interface FolderWatch {
  /** Watches exactly these folders from now on; reopens all, because a folder may have been replaced by another. */
  set(folders: readonly string[]): void;
  close(): void;
}

/**
 * @param onChange called on every change, often several times for one
 * @param onError called when a folder cannot be watched
 */
export function watchFolders(onChange: () => void, onError: (error: Error) => void): FolderWatch {
  let watchers: FSWatcher[] = [];
  const close = (): void => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  return {
    close,
    set: (folders) => {
      close();
      for (const folder of folders) {
        try {
          const watcher = watch(folder, { persistent: false }, () => onChange());
          watcher.on('error', onError);
          watchers.push(watcher);
        } catch (error) {
          onError(error instanceof Error ? error : new Error(String(error)));
        }
      }
    },
  };
}
