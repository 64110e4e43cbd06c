#!/usr/bin/env bash
set -euxo pipefail  «warn shell-trace»

: "${JWT_SECRET:=dev-secret}"  «block env-fallback-shell»
: "${DB_PASSWORD:?DB_PASSWORD is not set}"
REGION="${REGION:-eu-west-1}"

docker login -u deploy -p letmein-Plover7 registry.internal  «block command-line-secret»
echo "$REGISTRY_PASSWORD" | docker login -u deploy --password-stdin registry.internal
docker build --build-arg NPM_TOKEN="$NPM_TOKEN" -t app .  «block build-arg-secret»
docker build --secret id=npm,env=NPM_TOKEN -t app .

echo "deploying with $API_TOKEN"  «block log-secret-shell»
echo "token is ${API_TOKEN:+set}"
echo "API_KEY=$API_KEY" >> .env  «warn write-secret-to-file»
echo "VERSION=$VERSION" >> .env
echo "$DEPLOY_KEY" > /tmp/deploy_key  «block secret-in-shared-folder»
chmod 644 ~/.ssh/id_rsa  «block world-readable-secret»
chmod 600 ~/.ssh/id_ed25519

curl -sSk -H "Authorization: Bearer $API_TOKEN" https://api.internal/deploy  «block tls-off-with-credential»
curl -sS --cacert ca.pem https://api.internal/health
git clone "https://$GITHUB_TOKEN@github.com/acme/app"  «warn url-userinfo-variable»
git clone https://github.com/acme/app
ssh -o StrictHostKeyChecking=no deploy@app.internal 'systemctl restart app'  «warn ssh-host-key-unchecked»
ssh -o StrictHostKeyChecking=accept-new deploy@app.internal uptime
mkdir -p build && docker run -p 8080:80 app
printenv  «warn dump-environment-shell»
env FOO=1 ./run
helm upgrade app ./chart --set db.password="$DB_PASSWORD"  «warn chart-value-secret»
git add -f .env  «block file-forced-add»
