package acme

import pdi.jwt.{Jwt, JwtAlgorithm}

object Config {
  val jwtSecret: String = sys.env.getOrElse("JWT_SECRET", "dev-secret")  «block env-fallback-jvm»
  val host: String = sys.env.getOrElse("DB_HOST", "localhost")
  val dbPassword: String = sys.env.getOrElse("DB_PASSWORD", sys.error("DB_PASSWORD is not set"))

  def issue(claims: String): String = Jwt.encode(claims, "plover-signing-key", JwtAlgorithm.HS256)  «block jwt-secret-jvm»

  def hello(user: String, password: String): Unit = {
    println(s"user $user password $password")  «block log-secret-jvm»
    println(s"user $user is here")
  }
}
