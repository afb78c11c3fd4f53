#!/bin/sh
# Points Claude Code at this gateway by adding two variables to its settings file.
#
#   curl -fsS URL/client-setup/setup.sh | sh
#
# CLAUDE_NEXUS_KEY=...   your client key, when the administrator gave you one; without it your own login is used
# CLAUDE_CONFIG_DIR=...  where the settings are, ~/.claude when unset
set -eu

PROXY_URL='{{PROXY_URL}}'
CONFIG_DIR=${CLAUDE_CONFIG_DIR:-$HOME/.claude}
SETTINGS=$CONFIG_DIR/settings.json
KEY=${CLAUDE_NEXUS_KEY:-}

fail() {
  printf 'setup.sh: %s\n' "$1" >&2
  exit 1
}

# A quote or a backslash would end the JSON string the key is put into.
case $KEY in
  *[!A-Za-z0-9._~+/=@:-]*) fail 'CLAUDE_NEXUS_KEY holds characters no key has' ;;
esac

umask 077
mkdir -p "$CONFIG_DIR" || fail "cannot create $CONFIG_DIR"
TEMPORARY=$(mktemp "$CONFIG_DIR/settings.json.XXXXXX") || fail "cannot write to $CONFIG_DIR"
trap 'rm -f "$TEMPORARY"' EXIT

# Each merge reads the settings and writes them to standard output; the key travels in the environment, where other
# users cannot list it as they can arguments.
export PROXY_URL KEY SETTINGS

merge_with_node() {
  node -e '
    const { PROXY_URL, KEY, SETTINGS } = process.env;
    const settings = JSON.parse(require("fs").readFileSync(SETTINGS, "utf8").replace(/^\uFEFF/, ""));
    settings.env = { ...settings.env, ANTHROPIC_BASE_URL: PROXY_URL, CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1" };
    if (KEY) settings.env.ANTHROPIC_AUTH_TOKEN = KEY;
    process.stdout.write(JSON.stringify(settings, null, 2) + "\n");
  '
}

merge_with_python() {
  python3 -c '
import json, os, sys
with open(os.environ["SETTINGS"], encoding="utf-8-sig") as file:
    settings = json.load(file)
env = settings.setdefault("env", {})
env["ANTHROPIC_BASE_URL"] = os.environ["PROXY_URL"]
env["CLAUDE_CODE_GATEWAY_HINT_HEADERS"] = "1"
if os.environ["KEY"]:
    env["ANTHROPIC_AUTH_TOKEN"] = os.environ["KEY"]
json.dump(settings, sys.stdout, indent=2, ensure_ascii=True)
print()
'
}

merge_with_jq() {
  jq '.env = ((.env // {}) + {ANTHROPIC_BASE_URL: $ENV.PROXY_URL, CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1"}
        + (if $ENV.KEY == "" then {} else {ANTHROPIC_AUTH_TOKEN: $ENV.KEY} end))' "$SETTINGS"
}

fresh() {
  printf '{\n  "env": {\n    "ANTHROPIC_BASE_URL": "%s",\n' "$PROXY_URL"
  if [ -n "$KEY" ]; then printf '    "ANTHROPIC_AUTH_TOKEN": "%s",\n' "$KEY"; fi
  printf '    "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1"\n  }\n}\n'
}

if [ ! -s "$SETTINGS" ]; then
  fresh >"$TEMPORARY"
elif command -v node >/dev/null 2>&1; then
  merge_with_node >"$TEMPORARY" || fail "$SETTINGS is not valid JSON; correct it and run this again"
elif command -v python3 >/dev/null 2>&1; then
  merge_with_python >"$TEMPORARY" || fail "$SETTINGS is not valid JSON; correct it and run this again"
elif command -v jq >/dev/null 2>&1; then
  merge_with_jq >"$TEMPORARY" || fail "$SETTINGS is not valid JSON; correct it and run this again"
else
  printf 'Add this to %s by hand (node, python3 or jq would do it for you):\n' "$SETTINGS"
  fresh
  exit 1
fi

if [ -s "$SETTINGS" ]; then
  cp -p "$SETTINGS" "$SETTINGS.before-claude-nexus"
  # Settings kept elsewhere (a dotfiles repository) stay a link.
  cat "$TEMPORARY" >"$SETTINGS"
else
  mv -f "$TEMPORARY" "$SETTINGS"
fi

printf 'Claude Code now goes through %s (settings: %s).\n' "$PROXY_URL" "$SETTINGS"
if [ -z "$KEY" ]; then
  printf 'It keeps using your own login or key. If you were given a client key, run this again with CLAUDE_NEXUS_KEY set.\n'
fi
