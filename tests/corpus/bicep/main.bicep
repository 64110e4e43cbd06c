param location string = 'westeurope'

param adminPassword string  «block bicep-parameter-unsecured»

@secure()
param dbPassword string = 'letmein-Plover7'  «block bicep-parameter-default»

@secure()
param apiToken string

resource sql 'Microsoft.Sql/servers@2023-05-01-preview' = {
  name: 'acme-sql'
  location: location
  properties: {
    administratorLogin: 'acme'
    administratorLoginPassword: 'letmein-Plover7'  «block arm-literal-credential»
    secretName: 'prod'
  }
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: 'acme'
  properties: {
    adminUserEnabled: true  «warn azure-admin-account»
  }
}
