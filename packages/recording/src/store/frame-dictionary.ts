/**
 * Text that stands before every frame in the compressor's window: header names, and JSON as clients and the API
 * write it. A frame of one turn is short, so most of it would otherwise be spent on what all frames have in common.
 *
 * Frames name their dictionary by its version. A version that was released must never be changed, only followed by
 * another one.
 */
const FIRST = [
  '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_011C"}',
  '{"type":"error","error":{"type":"rate_limit_error","message":"',
  '{"type":"error","error":{"type":"invalid_request_error","message":"messages.',
  '"server_tool_use":{"web_search_requests":0,"web_fetch_requests":0},"inference_geo":"not_available","speed":"standard"',
  '{"type":"object","properties":{"description":"The absolute path to the file to ","type":"string"},"items":{"type":"array","enum":["default":false,"type":"boolean","type":"number","minimum":0,"required":["additionalProperties":false,"$schema":"https://json-schema.org/draft/2020-12/schema"}',
  ',"thinking":{"type":"adaptive","display":"omitted"},"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},"output_config":{"effort":"high"},"stream":true}',
  '],"metadata":{"user_id":"{\\"device_id\\":\\"\\",\\"account_uuid\\":\\"\\",\\"session_id\\":\\""},"max_tokens":128000',
  '"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.; cc_entrypoint=cli; cc_is_subagent=true;"},{"type":"text","text":"","cache_control":{"type":"ephemeral","ttl":"1h"}}],"tools":[{"name":"","description":"","input_schema":{',
  '<system-reminder>\\n</system-reminder>\\n<tool_use_error></tool_use_error>[Request interrupted by user for tool use]',
  ',"is_error":true,"is_error":false},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"',
  '{"role":"user","content":[{"tool_use_id":"toolu_01","type":"tool_result","content":"","cache_control":{"type":"ephemeral"}}]}',
  '{"type":"tool_use","id":"toolu_01","name":"Agent","input":{"description":"","prompt":"","subagent_type":"general-purpose"',
  '"name":"Bash","input":{"command":"","description":"","name":"Grep","input":{"pattern":"","path":"","output_mode":"content"',
  '"name":"Read","input":{"file_path":"","limit":,"offset":"name":"Edit","input":{"replace_all":false,"file_path":"","old_string":"","new_string":"',
  '{"meta":{"headers":["Server","cloudflare","Content-Type","application/json","Transfer-Encoding","chunked","retry-after","x-should-retry","true",',
  '"anthropic-ratelimit-requests-limit","4000","anthropic-ratelimit-requests-remaining","3999","anthropic-ratelimit-requests-reset","2026-01-01T00:00:00Z",',
  '"anthropic-ratelimit-input-tokens-limit","2000000","anthropic-ratelimit-input-tokens-remaining","anthropic-ratelimit-input-tokens-reset",',
  '"anthropic-ratelimit-output-tokens-limit","400000","anthropic-ratelimit-output-tokens-remaining","anthropic-ratelimit-output-tokens-reset",',
  '"anthropic-ratelimit-tokens-limit","2400000","anthropic-ratelimit-tokens-remaining","anthropic-ratelimit-tokens-reset",',
  '"anthropic-ratelimit-unified-overage-status","rejected","anthropic-ratelimit-unified-overage-disabled-reason","org_level_disabled",',
  '"Date",null,"Content-Type","text/event-stream; charset=utf-8","Transfer-Encoding",null,"Connection",null,"CF-RAY",null,"Cache-Control",null,"Content-Encoding","gzip","cf-cache-status",null,"strict-transport-security",null,"X-Robots-Tag",null,"server",null,"via",null,"vary",null,"x-envoy-upstream-service-time",null,"Content-Security-Policy",null,',
  '"anthropic-ratelimit-unified-status","allowed","anthropic-ratelimit-unified-5h-status","allowed","anthropic-ratelimit-unified-5h-reset","17","anthropic-ratelimit-unified-5h-utilization","0.',
  '","anthropic-ratelimit-unified-7d-status","allowed","anthropic-ratelimit-unified-7d-reset","17","anthropic-ratelimit-unified-7d-utilization","0.',
  '","anthropic-ratelimit-unified-representative-claim","five_hour","anthropic-ratelimit-unified-fallback-percentage","0.5","anthropic-ratelimit-unified-reset","17',
  '","request-id","req_011C","anthropic-organization-id","","content-length","date",null,"connection",null,"content-type","text/event-stream; charset=utf-8","transfer-encoding",null,"cache-control",null]}',
  '"sections":{"response":[0,],"chunks":[,],"raw":[0,',
  '{"id":"msg_01","type":"message","role":"assistant","model":"claude-opus-5-5","model":"claude-sonnet-5-5","model":"claude-haiku-5-5","content":[{"type":"thinking","thinking":"","signature":"',
  '"},{"type":"text","text":""},{"type":"tool_use","id":"toolu_01","name":"","input":{}}],"stop_reason":"end_turn","stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"cache_creation_input_tokens":,"cache_read_input_tokens":,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":,"service_tier":"standard","output_tokens_details":{"thinking_tokens":0}}}',
  '{"model":"claude-opus-5-5","messages":[{"role":"user","content":[{"type":"text","text":"',
  '{"meta":{"headers":["Accept","application/json","Accept-Encoding","gzip, deflate, br, zstd","Connection",null,"Host",null,"Content-Length","","anthropic-dangerous-direct-browser-access","true","Authorization",null,"x-api-key",null,"Content-Type","application/json",',
  '"User-Agent","claude-cli/2.1.330 (external, cli)","User-Agent","claude-cli/2.1.330 (external, sdk-cli)","X-Claude-Code-Session-Id","","x-claude-code-agent-id","a","x-claude-code-parent-agent-id","a","x-claude-code-prompt-id","","x-claude-code-request-class","main","x-claude-code-agent-type","general-purpose","x-claude-code-prev-tool-durations","Bash=',
  '"X-Stainless-Arch","x64","X-Stainless-Lang","js","X-Stainless-OS","Linux","X-Stainless-Package-Version","0.128.0","X-Stainless-Retry-Count","0","X-Stainless-Runtime","node","X-Stainless-Runtime-Version","v24.3.0","X-Stainless-Timeout","600",',
  '"anthropic-version","2023-06-01","x-app","cli","anthropic-beta","claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,per-turn-control-2026-07-01,mid-conversation-tool-changes-2026-07-01,thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24"]},"sections":{}}',
].join('\n');

/** Dictionaries by version; the last one is used for new frames. */
export const FRAME_DICTIONARIES: ReadonlyMap<number, Buffer> = new Map([[1, Buffer.from(FIRST)]]);

export const CURRENT_FRAME_VERSION = 1;

/** Stands for the text of an earlier frame instead of one of these. */
export const BASE_VERSION = 255;

/** Stands for the last 4 KiB of that text. */
export const SHORT_BASE_VERSION = 254;
