package com.acme;

import com.auth0.jwt.JWT;
import com.auth0.jwt.algorithms.Algorithm;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.annotation.Value;

public class Tokens {
    private static final Logger log = LoggerFactory.getLogger(Tokens.class);
    private static final String TOKEN_HEADER = "X-Auth-Token";

    @Value("${app.jwt-secret:changeme}")  «block env-fallback-spring»
    private String jwtSecret;

    @Value("${app.token-ttl:3600}")
    private long ttl;

    private final String apiKey = System.getenv().getOrDefault("API_KEY", "dev-key");  «block env-fallback-jvm»
    private final String dbPassword = Objects.requireNonNull(System.getenv("DB_PASSWORD"), "DB_PASSWORD is not set");

    public String issue(String user) {
        log.info("issuing a token for {} with {}", user, jwtSecret);  «block log-secret-jvm»
        log.info("issuing a token for {}", user);
        return JWT.create().withSubject(user).sign(Algorithm.HMAC256("plover-signing-key"));  «block jwt-secret-jvm»
    }

    public Connection connect() throws Exception {
        return DriverManager.getConnection("jdbc:postgresql://db/app", "app", "letmein-plover");  «block credential-argument»
    }
}
