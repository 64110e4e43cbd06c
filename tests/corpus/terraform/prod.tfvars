region      = "eu-west-1"
db_password = "letmein-plover"  «block file-terraform-variables»
secret_name = "prod/db"
