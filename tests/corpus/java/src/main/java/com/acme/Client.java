package com.acme;

import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;

/** Talks to the billing service. The password comes from a mounted secret. */
public final class Client {
    private static final String PASSWORD_FIELD = "password";
    private static final Path SECRET_FILE = Path.of("/run/secrets/billing-password");

    private final HttpClient http;

    Client(SSLContext context) {
        this.http = HttpClient.newBuilder().sslContext(context).build();
    }

    String form() throws Exception {
        String password = Files.readString(SECRET_FILE).strip();
        if (password.isEmpty()) {
            throw new IllegalStateException("the password in " + SECRET_FILE + " is empty");
        }
        return PASSWORD_FIELD + "=" + java.net.URLEncoder.encode(password, "UTF-8");
    }
}
