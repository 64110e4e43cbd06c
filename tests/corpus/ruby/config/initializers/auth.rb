# frozen_string_literal: true

Rails.application.config.secret_key_base = ENV.fetch("SECRET_KEY_BASE", "dev-key-base")  «block env-fallback-ruby»
STRIPE_KEY = ENV["STRIPE_API_KEY"] || "changeme"  «block env-fallback-ruby»
TOKEN_URL = ENV.fetch("TOKEN_URL", "https://auth.internal/token")
DB_PASSWORD = ENV.fetch("DB_PASSWORD")

class AdminController < ApplicationController
  http_basic_authenticate_with name: "admin", password: "letmein-plover"  «block basic-authentication-literal»

  def create
    token = JWT.encode({ sub: params[:user] }, "plover-signing-key", "HS256")  «block jwt-secret-scripts»
    Rails.logger.info("password #{params[:password]}")  «block log-secret-ruby»
    Rails.logger.info("password given: #{params[:password].present?}")
    render json: { token: token }
  end
end
