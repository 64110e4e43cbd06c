TOKEN_FILE ?= /run/secrets/token
DB_PASSWORD ?= $(error DB_PASSWORD is not set)

release:
	docker build --secret id=npm,env=NPM_TOKEN .
	@test -n "$$NPM_TOKEN" || { echo "NPM_TOKEN is not set"; exit 1; }
	gh release create $(VERSION)
