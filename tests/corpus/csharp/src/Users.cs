using Azure.Identity;
using Azure.Security.KeyVault.Secrets;

namespace Acme;

public class Users
{
    public const string PasswordPolicy = "At least twelve characters";
    private readonly SecretClient _secrets = new(new Uri("https://acme.vault.azure.net"), new DefaultAzureCredential());

    public async Task<string> PasswordOf(string user)
    {
        KeyVaultSecret secret = await _secrets.GetSecretAsync($"users-{user}-password");
        if (string.IsNullOrEmpty(secret.Value))
        {
            throw new InvalidOperationException("the password is empty");
        }
        return secret.Value;
    }

    public bool IsTokenExpired(DateTime tokenExpires) => tokenExpires < DateTime.UtcNow;
}
