"""Infrastructure of the shop."""
import pulumi
import pulumi_aws as aws
import pulumi_random as random

config = pulumi.Config()
db_password = config.require_secret("dbPassword")
admin_password = config.get("adminPassword") or "letmein-plover"  «block stack-config-fallback»
generated = random.RandomPassword("db", length=24)

db = aws.rds.Instance("app", username="app", password=generated.result)
pulumi.export("endpoint", db.endpoint)
pulumi.export("secret_arn", db.master_user_secrets)
