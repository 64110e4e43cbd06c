"""Sign in, sign out."""
import json
import logging
import os

import jwt
import requests

logger = logging.getLogger(__name__)


def issue(user):
    return jwt.encode({"sub": user.id}, "plover-signing-key", algorithm="HS256")  «block jwt-secret-python»


def read(token, public_key):
    return jwt.decode(token, public_key, algorithms=["RS256"])


def peek(token):
    return jwt.decode(token, options={"verify_signature": False})  «block jwt-verification-off»


def login(user, password, api_key=None):
    logger.info("login of %s with %s", user, password)  «block log-secret-python»
    logger.info("login of %s, password given: %s", user, bool(password))
    print(f"api key: {api_key}")  «block log-secret-python»
    print(f"api key has {len(api_key)} characters")
    logger.debug("headers %s", requests.Request().headers)
    response = requests.post("https://sso.internal/login", auth=(user, password), verify=False)  «block tls-off-with-credential»
    response = requests.post("https://sso.internal/login", auth=(user, password), verify="/etc/ssl/internal.pem")
    if os.environ.get("DEBUG"):
        print(os.environ)  «block dump-environment»
    return response.json()


def connect(host, user="app", password="letmein-plover"):  «block default-argument»
    return host, user, password


def remember(credentials):
    json.dump(credentials, open("session.json", "w"))  «warn write-secret-from-code»
    with open("report.json", "w") as out:
        json.dump({"ok": True}, out)
