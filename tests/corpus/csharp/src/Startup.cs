using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Acme;

public class Startup
{
    private readonly ILogger<Startup> _logger;

    public Startup(ILogger<Startup> logger, IConfiguration configuration)
    {
        _logger = logger;
        var secret = Environment.GetEnvironmentVariable("JWT_SECRET") ?? "dev-secret";  «block env-fallback-csharp»
        var key = configuration["Jwt:SecretKey"] ?? throw new InvalidOperationException("Jwt:SecretKey is not set");
        var signing = new SymmetricSecurityKey(Encoding.UTF8.GetBytes("plover-signing-key-of-32-characters"));  «block jwt-secret-csharp»
        _logger.LogInformation("secret {Secret}", secret);  «block log-secret-csharp»
        _logger.LogInformation("key of {Length} characters", key.Length);
    }

    public void Connect(string host, string password = "letmein-plover")  «block default-argument-typed»
    {
        var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (a, b, c, d) => true };  «warn tls-verification-off»
        Console.WriteLine($"connecting to {host} with {password}");  «block log-secret-csharp»
    }
}
