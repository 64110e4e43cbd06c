param location string = resourceGroup().location
param tokenUrl string = 'https://auth.internal/token'
param keyVaultName string

@secure()
@description('Set by the deployment.')
param adminPassword string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: keyVaultName
}

module sql 'sql.bicep' = {
  name: 'sql'
  params: {
    location: location
    adminPassword: vault.getSecret('sql-admin')
    fallbackPassword: adminPassword
    url: tokenUrl
  }
}
