package com.acme.app

import android.util.Log
import okhttp3.logging.HttpLoggingInterceptor

class Login(private val api: Api) {
    private val apiKey = System.getenv("API_KEY") ?: "dev-key"  «block env-fallback-jvm»
    private val host = System.getenv("API_HOST") ?: "localhost"

    fun signIn(user: String, password: String) {
        Log.d("login", "user $user password $password")  «block log-secret-jvm»
        Log.d("login", "user $user signs in with a password")
        val logging = HttpLoggingInterceptor().setLevel(HttpLoggingInterceptor.Level.BODY)  «warn log-request-headers»
        api.login(user, password, logging)
    }

    fun connect(host: String, user: String = "app", password: String = "letmein-plover") = api.open(host, user, password)  «block default-argument»
}
