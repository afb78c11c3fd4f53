export {
  eventNames,
  pageLimit,
  requestForms,
  requestKinds,
  requestOutcomes,
  responseForms,
} from './vocabulary.ts';
export type { EventName, RequestForm, RequestKind, RequestOutcome, ResponseForm } from './vocabulary.ts';
export { RequestIdParams, RequestList, RequestListQuery, RequestSummary } from './requests.ts';
export { HeaderPair, Linkage, RequestDetail, StorageInfo, Timing } from './request-detail.ts';
export { ContentBlock, Message, NestedBlock, Parameter, RequestContent, ResponseContent } from './content.ts';
export {
  Partition,
  RecorderState,
  StorageStats,
  StorageStatsQuery,
  UsageGroup,
  UsageTotals,
} from './storage-stats.ts';
export { EventsQuery, HeartbeatEvent, ResetEvent, StatsEvent } from './events.ts';
export { FieldError, Problem } from './problem.ts';
export { LoginBody, SessionStatus } from './session.ts';
export { Health, Probe, ProxyStatus } from './health.ts';
