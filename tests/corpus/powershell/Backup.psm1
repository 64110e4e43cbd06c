# The credential comes from the vault; nothing is printed.
$TokenUrl = "https://auth.internal/token"
$PasswordLength = 24

function Get-DatabaseCredential {
    $secret = Get-Secret -Name "db/password" -Vault Production
    if (-not $secret) { throw "db/password is not in the vault" }
    New-Object System.Management.Automation.PSCredential("app", $secret)
}

function Backup-Database {
    $credential = Get-DatabaseCredential
    Write-Host "credential found: $($null -ne $credential)"
    Write-Verbose "password length $PasswordLength, token from $TokenUrl"
    Invoke-Sqlcmd -Credential $credential -Query "BACKUP DATABASE app"
}
