import type {
  HeaderPair,
  RequestDetail,
  RequestSummary,
  StorageInfo,
  StorageStats,
  Timing,
  UsageTotals,
} from '@claude-nexus/api-contract';

/** Filters of a list; all given ones must hold. Times in epoch milliseconds, `from` inclusive, `to` exclusive. */
export interface RequestFilters {
  readonly domain?: string;
  readonly account?: string;
  readonly model?: string;
  readonly status?: number;
  readonly outcome?: RequestSummary['outcome'];
  readonly kind?: RequestSummary['kind'];
  readonly conversation?: string;
  readonly session?: string;
  readonly agent?: string;
  readonly from?: number;
  readonly to?: number;
}

/** Part of a list, newest first. */
export interface RequestPage {
  readonly requests: RequestSummary[];
  /** Go on with requests before this id; undefined at the end. */
  readonly nextBefore: string | undefined;
}

/** A window of time and, unless all of them are meant, one domain. Epoch milliseconds. */
export interface StatsWindow {
  readonly from: number;
  readonly to: number;
  readonly domain: string | undefined;
}

/** What is known of an exchange besides its bodies. */
export interface StoredExchange {
  readonly summary: RequestSummary;
  readonly facts: ExchangeFacts;
  readonly requestHeaders: HeaderPair[];
  readonly responseHeaders: HeaderPair[];
  readonly timing: Timing | null;
  readonly storage: StorageInfo;
}

/** Members of a detail that are neither in the summary nor content. */
export type ExchangeFacts = Pick<
  RequestDetail,
  | 'method'
  | 'path'
  | 'clientKeyName'
  | 'promptId'
  | 'requestClass'
  | 'agentType'
  | 'deviceId'
  | 'accountUuid'
  | 'userAgent'
  | 'errorMessage'
  | 'serviceTier'
  | 'thinkingTokens'
  | 'webFetchRequests'
>;

/** A stored body. */
export interface StoredBody {
  readonly bytes: Buffer;
  /** Content-Encoding of these bytes; undefined for none. */
  readonly encoding: string | undefined;
  /** Content-Type as recorded: data from outside, never to be sent as it is. */
  readonly contentType: string | undefined;
  /** False for the bytes of a stream that was cut or not understood. */
  readonly complete: boolean;
  /** JSON of the message such a stream amounts to, as far as it got. */
  readonly partialMessage?: Buffer;
}

/** One entry of the change feed. Positions are texts `compareChangeCursors` of the database package puts in order. */
interface Change {
  readonly position: string;
  readonly requestId: string;
}

export interface ChangePage {
  readonly changes: readonly Change[];
  /** Everything up to here has been read; the same on every replica. */
  readonly position: string;
  /** There is more to read after `position` already. */
  readonly more: boolean;
}

/** The only view of stored data this service has. Methods throw DatabaseUnavailableError and QueryTooSlowError. */
export interface DashboardStore {
  /** A page of at most `limit` requests; shorter, even empty, when the scan budget is used up. */
  listRequests(filters: RequestFilters, page: { limit: number; before?: string }): Promise<RequestPage>;
  /** Those of the requests that exist, in any order. */
  findSummaries(ids: readonly string[]): Promise<RequestSummary[]>;
  findExchange(id: string): Promise<StoredExchange | undefined>;
  /** Undefined when none is stored. Throws BodyCorruptError when it does not match its checksum. */
  readRequestBody(id: string): Promise<StoredBody | undefined>;
  /** As readRequestBody. */
  readResponseBody(id: string): Promise<StoredBody | undefined>;
  storageStats(window: StatsWindow): Promise<StorageStats>;
  usageTotals(window: StatsWindow): Promise<UsageTotals>;
  /** Position of the end of the change feed. */
  currentPosition(): Promise<string>;
  /** Changes after a position; undefined when it is older than what the feed keeps. */
  readChanges(after: string, limit: number): Promise<ChangePage | undefined>;
}
