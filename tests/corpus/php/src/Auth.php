<?php

namespace Acme;

use Firebase\JWT\JWT;
use Firebase\JWT\Key;

final class Auth
{
    private const TOKEN_HEADER = 'X-Auth-Token';

    public function __construct(private string $jwtSecret)
    {
        if ($jwtSecret === '') {
            throw new \RuntimeException('JWT_SECRET is not set');
        }
    }

    public function login(string $user, string $password): string
    {
        error_log("login of $user with $password");  «block log-secret-php»
        error_log('login of ' . $user);
        var_dump($_ENV);  «block dump-environment»
        $curl = curl_init('https://sso.internal/login');
        curl_setopt($curl, CURLOPT_SSL_VERIFYPEER, false);  «warn tls-verification-off»
        return JWT::encode(['sub' => $user], 'plover-signing-key', 'HS256');  «block jwt-secret-scripts»
    }

    public function read(string $token): object
    {
        return JWT::decode($token, new Key($this->jwtSecret, 'HS256'));
    }
}
