package com.acme.app

import java.security.KeyStore

object Vault {
    private const val KEY_ALIAS = "token_key"

    fun token(): String = System.getenv("API_TOKEN") ?: error("API_TOKEN is not set")

    fun describe(token: String) {
        println("token set: ${token.isNotEmpty()}")
        println("alias: $KEY_ALIAS, length ${token.length}")
    }

    fun store(): KeyStore = KeyStore.getInstance("AndroidKeyStore").apply { load(null) }
}
