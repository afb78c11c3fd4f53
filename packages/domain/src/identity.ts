import { parseUserId } from '@claude-nexus/protocol';

/** Who sent a request and on whose behalf, by the client's own account: data to group by, never to authorise by. */
export interface Identity {
  sessionId?: string;
  agentId?: string;
  parentAgentId?: string;
  promptId?: string;
  requestClass?: string;
  agentType?: string;
  deviceId?: string;
  accountUuid?: string;
}

export interface IdentitySource {
  /** Value of a request header by lower-case name. */
  headers: (name: string) => string | undefined;
  /** `metadata.user_id` of the request body. */
  userId?: string | undefined;
}

const MAX_LENGTH = 128;
const PRINTABLE = /^[\x20-\x7e\xa0-\u{10ffff}]+$/u;

/** Reads the identity of a request: headers first, then `metadata.user_id`. Implausible values count as absent. */
export function identityOf({ headers, userId }: IdentitySource): Identity {
  const user = parseUserId(userId);
  return withoutAbsent({
    sessionId: plausible(headers('x-claude-code-session-id')) ?? plausible(user.sessionId),
    agentId: plausible(headers('x-claude-code-agent-id')),
    parentAgentId: plausible(headers('x-claude-code-parent-agent-id')),
    promptId: plausible(headers('x-claude-code-prompt-id')),
    requestClass: plausible(headers('x-claude-code-request-class')),
    agentType: plausible(headers('x-claude-code-agent-type')),
    deviceId: plausible(user.deviceId),
    accountUuid: plausible(user.accountUuid),
  });
}

/** A short line of printable text, or nothing: these values become database keys, filters and labels. */
function plausible(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  if (trimmed === undefined || trimmed.length > MAX_LENGTH) return undefined;
  return PRINTABLE.test(trimmed) && trimmed.isWellFormed() ? trimmed : undefined;
}

/** Not by entries and back, which takes longer than reading the values. */
function withoutAbsent(values: { [Key in keyof Identity]: string | undefined }): Identity {
  const identity: Identity = {};
  for (const key in values) {
    const name = key as keyof Identity;
    const value = values[name];
    if (value !== undefined) identity[name] = value;
  }
  return identity;
}
