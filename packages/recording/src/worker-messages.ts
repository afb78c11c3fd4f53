import type { JournalReaderOptions } from './journal/types.ts';
import type { LostReason } from './types.ts';

/** `workerData` of the recorder's worker. */
export interface RecorderWorkerData {
  journal: JournalReaderOptions;
  recorderId: string;
  /** Most to keep of the sessions' bodies, and of frames that later ones are based on. */
  maxRememberedBytes: { sessions: number; frames: number };
  /** Absent: nothing is shipped, the spool fills. */
  databaseUrl?: string;
  /** `workerSettings` of `openRecorder`, passed on as they are. */
  settings: Readonly<Record<string, unknown>>;
}

/** Main thread to worker. `stop`: finish the current batch, close the reader, exit. */
export type ToWorker = { type: 'stop' } | { type: 'lost'; id: string; reason: LostReason };

/** Worker to main thread. `count` names a counter of `BATCH_METRICS`. */
export type FromWorker =
  | { type: 'ready' }
  | { type: 'log'; level: WorkerLogLevel; fields: Record<string, unknown>; message: string }
  | { type: 'count'; name: string; labels?: Record<string, string>; by: number };

type WorkerLogLevel = 'debug' | 'info' | 'warn' | 'error';
