export type {
  BeginMeta,
  EndMeta,
  EndOutcome,
  ExchangeRecording,
  LostReason,
  Recorder,
  RecorderStats,
  ResponseHead,
} from './types.ts';
export type {
  ExchangeClosing,
  JournalBatch,
  JournalExchange,
  JournalReader,
  JournalReaderOptions,
  JournalReaderStats,
} from './journal/types.ts';
export type { RecorderOptions } from './recorder.ts';

export { JournalError, SpoolError, SpoolInUseError } from './journal/errors.ts';
export { openJournalReader } from './journal/journal-reader.ts';
export { disabledRecorder, openRecorder } from './recorder.ts';
export { LOST_REASONS } from './types.ts';
