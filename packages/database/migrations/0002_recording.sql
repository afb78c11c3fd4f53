-- minimum service: 1
--
-- The record itself. `request` and `frame` are partitioned by range of the UUIDv7 id, so that the primary
-- key, and with it idempotency, is exact and look-ups prune; `piece` and `node` by week number, inside
-- which they are de-duplicated. A request refers only to pieces and nodes of its own week, so retention is
-- dropping one week's partitions of all four tables. No foreign keys: they would make that a scan.
--
-- A week is a number: Monday-based weeks counted from 1969-12-29, floor((ms + 3 days) / 7 days).

-- What repeats over all requests of one client; a row per distinct combination instead of 200 bytes per request.
create table nexus.source (
  id integer generated always as identity primary key,
  -- First 16 bytes of SHA-256 over the other columns: a unique index over eight texts could exceed a page.
  digest bytea not null unique check (octet_length(digest) = 16),
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
  status smallint,
  -- Bucket of each measure in the histograms of usage_rollup, kept so that a row can be taken out again exactly.
  duration_bucket smallint,
  first_token_bucket smallint,
  speed_bucket smallint,
  streaming boolean not null,
  kind text not null
    check (kind in ('main', 'subagent', 'compaction', 'auxiliary', 'other')),
  outcome text not null
    check (outcome in ('pending', 'completed', 'error', 'aborted', 'interrupted')),
  request_form text not null
    check (request_form in ('none', 'tree', 'whole', 'partial')),
  response_form text not null
    check (response_form in ('none', 'exact', 'message', 'raw')),
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
  request_sha256 bytea check (octet_length(request_sha256) = 32),
  response_sha256 bytea check (octet_length(response_sha256) = 32),
  leaf_node bytea check (octet_length(leaf_node) = 16),
  head_hash bytea check (octet_length(head_hash) = 16),
  tail_hash bytea check (octet_length(tail_hash) = 16),
  primary key (id)
) partition by range (id);
comment on table nexus.request is 'One row per exchange: identity, outcome, usage, and where its bodies are.';

-- Only columns that never change between pending and final are indexed, so that the update stays on its page
-- (HOT). Without the id in the key, equal sessions share one entry (de-duplicated posting lists).
create index request_session on nexus.request (session_id) where session_id is not null;
create index request_agent on nexus.request (agent_id) where agent_id is not null;

-- All new bytes of one part of an exchange (0 request, 1 response), compressed together.
create table nexus.frame (
  request_id uuid not null,
  part smallint not null check (part in (0, 1)),
  -- Compressed already: a second try would only cost time.
  data bytea not null,
  primary key (request_id, part)
) partition by range (request_id);
alter table nexus.frame alter column data set storage external;
comment on table nexus.frame is 'Compressed bytes of one part of an exchange.';

-- Where the bytes of a hash are: a range of a frame's decompressed content.
create table nexus.piece (
  week integer not null,
  "offset" integer not null check ("offset" >= 0),
  length integer not null check (length >= 0),
  part smallint not null,
  request_id uuid not null,
  hash bytea not null check (octet_length(hash) = 16),
  primary key (week, hash)
) partition by range (week);
comment on table nexus.piece is 'Distinct slices of bodies of a week: hash to frame, offset, length.';

-- The prefix tree: a node is a message after its parent; a request is its leaf.
create table nexus.node (
  week integer not null,
  depth integer not null check (depth >= 0),
  hash bytea not null check (octet_length(hash) = 16),
  parent bytea check (octet_length(parent) = 16),
  strict_chain bytea not null check (octet_length(strict_chain) = 16),
  loose_chain bytea not null check (octet_length(loose_chain) = 16),
  recipe bytea not null,
  primary key (week, hash)
) partition by range (week);
comment on table nexus.node is 'Messages of a week as a prefix tree; recipe says how to rebuild one from pieces.';

-- Safety nets: a row whose week has no partition yet is kept here and moved by ensure_partitions().
create table nexus.request_default partition of nexus.request default;
create table nexus.frame_default partition of nexus.frame default;
create table nexus.piece_default partition of nexus.piece default;
create table nexus.node_default partition of nexus.node default;
