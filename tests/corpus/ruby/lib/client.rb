# frozen_string_literal: true

require "net/http"

class Client
  PASSWORD_FORMAT = /\A.{12,}\z/
  TOKEN_HEADER = "X-Auth-Token"

  def initialize(token:)
    raise ArgumentError, "token is missing" if token.to_s.empty?

    @token = token
  end

  def get(path)
    http = Net::HTTP.new("api.internal", 443)
    http.use_ssl = true
    http.verify_mode = OpenSSL::SSL::VERIFY_PEER
    http.get(path, TOKEN_HEADER => @token)
  end

  def insecure
    http = Net::HTTP.new("api.internal", 443)
    http.verify_mode = OpenSSL::SSL::VERIFY_NONE  «warn tls-verification-off»
    http
  end
end
