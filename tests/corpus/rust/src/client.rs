//! Talks to the billing service.

use secrecy::{ExposeSecret, SecretString};

/// A client with its token.
pub struct Client {
    token: SecretString,
    http: reqwest::Client,
}

impl Client {
    /// Fails when the token is empty.
    pub fn new(token: SecretString) -> Result<Self, &'static str> {
        if token.expose_secret().is_empty() {
            return Err("the token is empty");
        }
        Ok(Self { token, http: reqwest::Client::new() })
    }

    /// For the test network only.
    pub fn trusting() -> reqwest::Result<reqwest::Client> {
        reqwest::Client::builder().danger_accept_invalid_certs(true).build()  «warn tls-verification-off»
    }

    pub async fn get(&self, path: &str) -> reqwest::Result<String> {
        self.http.get(path).bearer_auth(self.token.expose_secret()).send().await?.text().await
    }
}
