/** What a request is for. `auxiliary`: work of the client itself (titles, probes), costed but not conversation. */
export type RequestKind = 'main' | 'subagent' | 'compaction' | 'auxiliary' | 'other';

/** What the kind of a request is told by. All but `path` may be unknown. */
export interface KindSignals {
  /** Request target, with or without query. */
  path: string;
  /** Header `x-claude-code-request-class`. */
  requestClass?: string | undefined;
  /** Header `x-claude-code-agent-id`. */
  agentId?: string | undefined;
  /** Text of `system[0]`, where Claude Code puts its attribution line. */
  attribution?: string | undefined;
  /** Number of `tools`. */
  toolCount?: number | undefined;
  /** `output_config.format` (or `output_format`) asks for a JSON schema. */
  hasJsonSchema?: boolean | undefined;
  maxTokens?: number | undefined;
  /** First text of the first message, reminders left out. */
  firstText?: string | undefined;
  /** Last text of the last message: where a compaction request has its instruction. */
  lastText?: string | undefined;
  /** Text of the system prompt after attribution and identity line. */
  systemText?: string | undefined;
  /** False: certainly not Claude Code (no session, no attribution), so its habits prove nothing. */
  fromClaudeCode?: boolean | undefined;
}

const MESSAGES_PATH = '/v1/messages';

const KIND_OF_CLASS: Readonly<Record<string, RequestKind>> = {
  main: 'main',
  subagent: 'subagent',
  // Agents that a workflow script starts instead of the model.
  workflow: 'subagent',
  compaction: 'compaction',
  auxiliary: 'auxiliary',
};

const COMPACTION_PROMPTS = [
  'CRITICAL: Respond with TEXT ONLY.',
  'Your task is to create a detailed summary of the conversation',
  'Your task is to create a detailed summary of this conversation',
  'Your task is to create a detailed summary of the RECENT portion of the conversation',
];
const COMPACTION_SYSTEM = 'You are a helpful AI assistant tasked with summarizing conversations';

/** Decides by the request class header, else the marks of a sub-agent, else by what the request looks like. */
export function kindOf(signals: KindSignals): RequestKind {
  if (signals.path.split('?', 1)[0] !== MESSAGES_PATH) return 'other';
  const { requestClass = '', agentId } = signals;
  if (Object.hasOwn(KIND_OF_CLASS, requestClass)) return KIND_OF_CLASS[requestClass] ?? 'main';
  if (agentId !== undefined || attributesToSubagent(signals.attribution)) return 'subagent';
  if (asksForCompaction(signals)) return 'compaction';
  if (probesQuota(signals) || asksForTitle(signals)) return 'auxiliary';
  return 'main';
}

/** True for the attribution line with which Claude Code begins the system prompt of every request. */
export function isAttribution(text: string | undefined): boolean {
  return text?.startsWith('x-anthropic-billing-header:') === true;
}

function attributesToSubagent(attribution = ''): boolean {
  return isAttribution(attribution) && attribution.includes('cc_is_subagent=true');
}

function asksForCompaction({ firstText = '', lastText = '', systemText = '' }: KindSignals): boolean {
  const texts = [firstText.trimStart(), lastText.trimStart()];
  return (
    systemText.startsWith(COMPACTION_SYSTEM) ||
    texts.some((text) => COMPACTION_PROMPTS.some((prompt) => text.startsWith(prompt)))
  );
}

function probesQuota({ maxTokens, toolCount = 0 }: KindSignals): boolean {
  return maxTokens === 1 && toolCount === 0;
}

/** Session titles: a JSON schema and no tools. For any other client that is an ordinary structured answer. */
function asksForTitle({ hasJsonSchema, toolCount = 0, fromClaudeCode = true }: KindSignals): boolean {
  return hasJsonSchema === true && toolCount === 0 && fromClaudeCode;
}
