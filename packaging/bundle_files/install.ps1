# Installs TagSight from this folder, without internet. Data and configuration lie elsewhere and are not touched.
#   powershell -ExecutionPolicy Bypass -File .\install.ps1 [-Target "C:\Program Files\TagSight"] [-Python C:\Python311\python.exe]
# An installation that is there is replaced, and kept as TARGET.previous; if anything fails, it comes back.
param(
    [string]$Target = "C:\Program Files\TagSight",
    [string]$Python = "python"
)
$ErrorActionPreference = "Stop"
$here = Split-Path -Parent $MyInvocation.MyCommand.Path
$Target = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Target).TrimEnd("\")
$kept = "$Target.previous"
$own = Join-Path $Target "Scripts\python.exe"
$program = Join-Path $Target "Scripts\tagsight.exe"

function Stop-Here([string]$Message) {
    [Console]::Error.WriteLine("error: $Message")
    exit 1
}

function Invoke-Checked([string]$Program, [string[]]$Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Program ended with exit code $LASTEXITCODE" }
}

if (-not (Get-Command $Python -ErrorAction SilentlyContinue)) {
    Stop-Here "there is no $Python; name one: -Python C:\Python311\python.exe"
}
& $Python -c "import sys; sys.exit(sys.version_info[:2] < (3, 11))"
if ($LASTEXITCODE -ne 0) {
    Stop-Here "$Python is no Python 3.11 or newer, which TagSight needs; name another: -Python C:\Python311\python.exe"
}
& $Python -I (Join-Path $here "check_machine.py") $Target
if ($LASTEXITCODE -ne 0) { exit 1 }
if (-not (Test-Path "$env:SystemRoot\System32\msvcp140.dll")) {
    Write-Warning "The Microsoft Visual C++ Redistributable (x64) is not installed; PyTorch needs it: vc_redist.x64.exe"
}
$there = Test-Path $Target
if ($there -and -not ((Test-Path (Join-Path $Target "pyvenv.cfg")) -and (Test-Path $program))) {
    Stop-Here "$Target exists and is no installation of TagSight; remove it, or name another folder"
}
$service = Get-Service -Name TagSight -ErrorAction SilentlyContinue
if ($there -and $service -and $service.Status -ne "Stopped") {
    Stop-Here "the service TagSight is running; stop it first: Stop-Service TagSight"
}

$settings = $env:PIP_CONFIG_FILE
$env:PIP_CONFIG_FILE = "nul"  # no settings of this machine: they could name an index
$replaced = $false
$begun = $false
try {
    if ($there) {
        if (Test-Path $kept) { Remove-Item -Recurse -Force $kept }
        Move-Item $Target $kept
        $replaced = $true
    }
    $begun = $true
    Invoke-Checked $Python @("-I", "-m", "venv", $Target)
    Invoke-Checked $own @("-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet",
        "--no-cache-dir", "--no-index", "--no-deps", "--require-hashes",
        "--find-links", (Join-Path $here "wheels"), "--requirement", (Join-Path $here "requirements.txt"))
    Invoke-Checked $own @("-I", "-m", "pip", "--isolated", "check")
    Invoke-Checked $program @("--version")
}
catch {
    if ($begun -and (Test-Path $Target)) { Remove-Item -Recurse -Force $Target }
    if ($replaced) { Move-Item $kept $Target }
    Stop-Here "$_; not installed, everything is as it was"
}
finally {
    $env:PIP_CONFIG_FILE = $settings
}
Write-Output "Installed in $Target. To see it work: & `"$program`" demo --once"
Write-Output "As a service: $here\packaging\windows\README.md"
