"""Settings of the billing service."""
import os
from pathlib import Path

from dotenv import load_dotenv
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

load_dotenv(".env.production")  «block dotenv-committed»

BASE_DIR = Path(__file__).resolve().parent
JWT_SECRET = os.getenv("JWT_SECRET", "dev-secret")  «block env-fallback-python»
STRIPE_KEY = os.environ.get("STRIPE_API_KEY") or "changeme"  «block env-fallback-or-python»
DB_PASSWORD = os.environ["DB_PASSWORD"]
TOKEN_URL = os.getenv("TOKEN_URL", "https://auth.internal/token")
MAX_TOKENS = int(os.getenv("MAX_TOKENS", "4096"))


class Settings(BaseSettings):
    database_host: str = "localhost"
    session_secret: str = "keyboard cat"  «block settings-default»
    smtp_password: SecretStr = Field(default="letmein-plover")  «block settings-default»
    token_type: str = "bearer"
    admin_token: SecretStr


app_config = {"SECRET_KEY": "not-so-secret"}  «block framework-key-python»
