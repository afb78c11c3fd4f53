-- minimum service: 1
--
-- The record itself. `request` and `frame` are partitioned by range of the UUIDv7 id, so that the primary
-- key, and with it idempotency, is exact and look-ups prune; `piece` and `node` by week number, inside
-- which they are de-duplicated. A request refers only to pieces and nodes of its own week, so retention is
-- dropping one week's partitions of all four tables. No foreign keys: they would make that a scan.
--
-- A week is a number: Monday-based weeks counted from 1969-12-29, floor((ms + 3 days) / 7 days).

-- Types rather than check constraints: those are parsed anew by every statement that writes.
create type nexus.request_kind as enum ('main', 'subagent', 'compaction', 'auxiliary', 'other');
create type nexus.request_outcome as enum ('pending', 'completed', 'error', 'aborted', 'interrupted');
-- How a body is stored: see the storage section of docs/DATABASE.md.
create type nexus.request_form as enum ('none', 'tree', 'whole', 'partial');
create type nexus.response_form as enum ('none', 'exact', 'message', 'raw');

-- What repeats over all requests of one client; a row per distinct combination instead of 200 bytes per request.
create table nexus.source (
  id integer generated always as identity primary key,
  -- First 16 bytes of SHA-256 over the other columns: a unique index over eight texts could exceed a page.
  digest bytea not null unique,
  domain text not null,
  scope text not null,
  account_id text,
  client_key_name text,
  device_id text,
  account_uuid text,
  user_agent text,
  recorder_id text not null
);
comment on table nexus.source is 'Who sent requests, through which recorder: one row per combination.';

-- One row per exchange. Columns are ordered by alignment, wide first, so that rows carry no padding.
create table nexus.request (
  id uuid not null,
  started_at timestamptz not null,
  source_id integer not null,
  first_token_ms integer,
  duration_ms integer,
  input_tokens integer,
  output_tokens integer,
  cache_read_tokens integer,
  cache_write_5m_tokens integer,
  cache_write_1h_tokens integer,
  web_search_requests integer,
  web_fetch_requests integer,
  thinking_tokens integer,
  tool_call_count integer,
  message_count integer,
  request_length integer not null,
  response_length integer not null,
  kind nexus.request_kind not null,
  outcome nexus.request_outcome not null,
  request_form nexus.request_form not null,
  response_form nexus.response_form not null,
  status smallint,
  -- Bucket of each measure in the histogram of usage_rollup, kept so that a row can be taken out again exactly.
  duration_bucket smallint,
  first_token_bucket smallint,
  speed_bucket smallint,
  streaming boolean not null,
  cost_usd numeric,
  method text not null,
  path text not null,
  session_id text,
  agent_id text,
  parent_agent_id text,
  prompt_id text,
  request_class text,
  agent_type text,
  model text,
  stop_reason text,
  error_type text,
  error_message text,
  upstream_request_id text,
  upstream_message_id text,
  service_tier text,
  inference_geo text,
  speed text,
  request_encoding text,
  response_encoding text,
  request_sha256 bytea,
  response_sha256 bytea,
  leaf_node bytea,
  head_hash bytea,
  tail_hash bytea,
  primary key (id)
) partition by range (id);
comment on table nexus.request is 'One row per exchange that has ended: identity, outcome, usage, and where its bodies are.';

-- Without the id in the key, the requests of a session share one entry (de-duplicated posting lists).
create index request_session on nexus.request (session_id) where session_id is not null;
create index request_agent on nexus.request (agent_id) where agent_id is not null;

-- Exchanges that have not ended. Most are written twice, and in one table each would leave a dead row behind
-- that only a later vacuum makes room of; so they wait here, and `request` is written once and packed full.
create table nexus.open_request (
  like nexus.request including defaults including comments,
  primary key (id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
comment on table nexus.open_request is 'Exchanges that have not ended: same columns as request, outcome pending.';

-- All new bytes of one part of an exchange (0 request, 1 response), compressed together.
create table nexus.frame (
  request_id uuid not null,
  -- Request of the same week whose frame of the same part, decompressed, is needed to decompress this one. Such
  -- references go through six frames at most.
  base uuid,
  part smallint not null,
  -- Compressed already: a second try would only cost time.
  data bytea not null,
  primary key (request_id, part)
) partition by range (request_id);
alter table nexus.frame alter column data set storage external;
comment on table nexus.frame is 'Compressed bytes of one part of an exchange, some by reference to an earlier frame.';

-- Where the bytes of a hash are: a range of a frame's decompressed content.
create table nexus.piece (
  week integer not null,
  "offset" integer not null,
  length integer not null,
  part smallint not null,
  request_id uuid not null,
  hash bytea not null,
  primary key (week, hash)
) partition by range (week);
comment on table nexus.piece is 'Distinct slices of bodies of a week: hash to frame, offset, length.';

-- The prefix tree: a node is a message after its parent; a request is its leaf.
create table nexus.node (
  week integer not null,
  depth integer not null,
  hash bytea not null,
  parent bytea,
  -- The first 8 bytes: they find candidates within one week, whose messages can then be compared.
  strict_chain bytea not null,
  loose_chain bytea not null,
  recipe bytea not null,
  primary key (week, hash)
) partition by range (week);
comment on table nexus.node is 'Messages of a week as a prefix tree; recipe says how to rebuild one from pieces.';

-- Safety nets: a row whose week has no partition yet is kept here and moved by ensure_partitions().
create table nexus.request_default partition of nexus.request default;
create table nexus.frame_default partition of nexus.frame default;
create table nexus.piece_default partition of nexus.piece default;
create table nexus.node_default partition of nexus.node default;
