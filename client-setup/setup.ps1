# Points Claude Code at this gateway by adding two variables to its settings file.
#
#   irm URL/client-setup/setup.ps1 | iex
#
# $env:CLAUDE_NEXUS_KEY   your client key, when the administrator gave you one; without it your own login is used
# $env:CLAUDE_CONFIG_DIR  where the settings are, ~\.claude when unset
$ErrorActionPreference = 'Stop'

& {
  $proxyUrl = '{{PROXY_URL}}'
  $configDir = if ($env:CLAUDE_CONFIG_DIR) { $env:CLAUDE_CONFIG_DIR } else { Join-Path $HOME '.claude' }
  $settingsFile = Join-Path $configDir 'settings.json'

  New-Item -ItemType Directory -Force -Path $configDir | Out-Null

  $settings = [pscustomobject]@{}
  if ((Test-Path $settingsFile) -and (Get-Item $settingsFile).Length -gt 0) {
    try {
      $settings = Get-Content -Raw -Encoding UTF8 $settingsFile | ConvertFrom-Json
    } catch {
      throw "$settingsFile is not valid JSON; correct it and run this again"
    }
    Copy-Item -Force $settingsFile "$settingsFile.before-claude-nexus"
  }

  if (-not ($settings.PSObject.Properties.Name -contains 'env')) {
    $settings | Add-Member -NotePropertyName env -NotePropertyValue ([pscustomobject]@{})
  }

  $variables = [ordered]@{ ANTHROPIC_BASE_URL = $proxyUrl; CLAUDE_CODE_GATEWAY_HINT_HEADERS = '1' }
  if ($env:CLAUDE_NEXUS_KEY) { $variables['ANTHROPIC_AUTH_TOKEN'] = $env:CLAUDE_NEXUS_KEY }
  foreach ($name in $variables.Keys) {
    $settings.env | Add-Member -Force -NotePropertyName $name -NotePropertyValue $variables[$name]
  }

  # Without a byte order mark, which Windows PowerShell would otherwise write.
  $json = $settings | ConvertTo-Json -Depth 100
  [System.IO.File]::WriteAllText($settingsFile, $json + "`n", (New-Object System.Text.UTF8Encoding $false))

  Write-Host "Claude Code now goes through $proxyUrl (settings: $settingsFile)."
  if (-not $env:CLAUDE_NEXUS_KEY) {
    Write-Host 'It keeps using your own login or key. If you were given a client key, set CLAUDE_NEXUS_KEY and run this again.'
  }
}
