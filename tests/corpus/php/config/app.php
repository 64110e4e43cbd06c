<?php

return [
    'name' => env('APP_NAME', 'Laravel'),
    'key' => env('APP_KEY', 'base64:{b64:43}='),  «block framework-key-php»
    'db_password' => env('DB_PASSWORD', 'secret'),  «block env-fallback-php»
    'token_url' => env('TOKEN_URL', 'https://auth.internal/token'),
    'api_key' => env('API_KEY'),
];
