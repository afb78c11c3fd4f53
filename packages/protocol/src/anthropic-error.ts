/** Error types the Messages API documents, with the status each comes with. */
export type AnthropicErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'billing_error'
  | 'permission_error'
  | 'not_found_error'
  | 'conflict_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'api_error'
  | 'timeout_error'
  | 'overloaded_error'
  | 'not_supported';

/** The body of an error answer in the shape of the Messages API, as JSON text. */
export function anthropicError(type: AnthropicErrorType, message: string, requestId?: string): string {
  return JSON.stringify({
    type: 'error',
    error: { type, message },
    ...(requestId !== undefined && { request_id: requestId }),
  });
}
