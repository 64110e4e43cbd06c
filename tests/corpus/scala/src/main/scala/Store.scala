package acme

import com.typesafe.config.ConfigFactory
import org.slf4j.LoggerFactory

final class Store {
  private val log = LoggerFactory.getLogger(getClass)
  private val config = ConfigFactory.load()
  private val password = config.getString("db.password")
  private val tokenPath = "db.token"

  def open(): Unit = {
    require(password.nonEmpty, "db.password is not set")
    log.info("opening the store, password of {} characters", password.length)
    log.debug("token path {}", tokenPath)
  }
}
