param([Parameter(Mandatory)] [string] $Target)

$Password = $env:DB_PASSWORD ?? "letmein-plover"  «block env-fallback-powershell»
if (-not $env:API_KEY) { $env:API_KEY = "dev-key" }  «block env-fallback-powershell»
if (-not $env:DEPLOY_TOKEN) { throw "DEPLOY_TOKEN is not set" }

Write-Host "password is $Password"  «block log-secret-powershell»
Write-Host "deploying to $Target"
Write-Output $env:API_KEY  «block log-secret-powershell»
Get-ChildItem Env: | Sort-Object Name  «block dump-environment-more»
Invoke-RestMethod -Uri "https://api.internal/deploy" -SkipCertificateCheck  «warn tls-trust-manager»
docker build --build-arg NPM_TOKEN=$env:NPM_TOKEN -t app .  «block build-arg-secret»
