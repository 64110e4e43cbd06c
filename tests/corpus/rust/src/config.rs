use std::env;

use clap::Parser;

/// Options of the server.
#[derive(Parser)]
pub struct Options {
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    #[arg(long, default_value = "dev-key")]  «block argument-default-clap»
    api_key: String,
    #[arg(long, env = "DB_PASSWORD", hide_env_values = true)]
    db_password: String,
}

pub fn jwt_secret() -> String {
    env::var("JWT_SECRET").unwrap_or_else(|_| "dev-secret".to_string())  «block env-fallback-rust»
}

pub fn token() -> anyhow::Result<String> {
    let token = env::var("API_TOKEN")?;
    tracing::info!("token {token}");  «block log-secret-rust»
    tracing::info!(length = token.len(), "token read");
    println!("password {}", options().db_password);  «block log-secret-rust»
    Ok(token)
}

fn options() -> Options {
    Options::parse()
}
