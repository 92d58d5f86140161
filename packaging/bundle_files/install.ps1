# Installs TagSight from this folder into a folder of its own, without internet. Needs Python 3.11 or newer of the same
# version as the bundle was made with.   .\install.ps1 -Target "C:\Program Files\TagSight" -Python python
param(
    [string]$Target = "C:\Program Files\TagSight",
    [string]$Python = "python"
)
$ErrorActionPreference = "Stop"
$here = Split-Path -Parent $MyInvocation.MyCommand.Path

function Invoke-Checked([string]$Program, [string[]]$Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program ended with exit code $LASTEXITCODE" }
}

Invoke-Checked $Python @("-m", "venv", $Target)
$own = Join-Path $Target "Scripts\python.exe"
Invoke-Checked $own @("-m", "pip", "install", "--no-index", "--no-deps", "--require-hashes",
    "--find-links", (Join-Path $here "wheels"), "--requirement", (Join-Path $here "requirements.txt"))
Invoke-Checked $own @("-m", "pip", "check")
Invoke-Checked (Join-Path $Target "Scripts\tagsight.exe") @("--version")
Write-Output "Installed in $Target. As a service: $here\windows\README.md"
