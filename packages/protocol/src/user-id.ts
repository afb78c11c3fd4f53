import { isJsonObject, parseJson } from './json-value.ts';

/** Who `metadata.user_id` says the client is. Claims of the client, never to be trusted. */
export interface UserId {
  deviceId?: string;
  accountUuid?: string;
  sessionId?: string;
}

const MAX_LENGTH = 2048;
const LEGACY =
  /^user_(?<deviceId>[0-9a-fA-F]{1,128})_account_(?<accountUuid>[0-9a-fA-F-]{0,64})_session_(?<sessionId>[0-9a-fA-F-]{1,64})$/;

/**
 * Reads `metadata.user_id`: the JSON form (`{"device_id","account_uuid","session_id"}`, Claude Code since 2.1.78) or
 * the older `user_<hex>_account_<uuid or nothing>_session_<uuid>`. Empty members are left out; any other text gives {}.
 */
export function parseUserId(value: string | undefined): UserId {
  if (value === undefined || value.length > MAX_LENGTH) return {};
  const legacy = LEGACY.exec(value)?.groups;
  if (legacy !== undefined) return pick(legacy['deviceId'], legacy['accountUuid'], legacy['sessionId']);
  const parsed = value.trimStart().startsWith('{') ? parseJson(value)?.value : undefined;
  if (!isJsonObject(parsed)) return {};
  return pick(parsed['device_id'], parsed['account_uuid'], parsed['session_id']);
}

function pick(deviceId: unknown, accountUuid: unknown, sessionId: unknown): UserId {
  return {
    ...(isSet(deviceId) && { deviceId }),
    ...(isSet(accountUuid) && { accountUuid }),
    ...(isSet(sessionId) && { sessionId }),
  };
}

function isSet(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
