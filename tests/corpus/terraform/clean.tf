provider "aws" {
  region = "eu-west-1"
  assume_role {
    role_arn = "arn:aws:iam::123456789012:role/deploy"
  }
}

variable "db_password" {
  type      = string
  sensitive = true
}

resource "random_password" "db" {
  length  = 24
  special = false
}

resource "aws_db_instance" "app" {
  username                    = "app"
  manage_master_user_password = true
}

resource "aws_rds_cluster" "app" {
  master_password = random_password.db.result
}

output "secret_arn" {
  value = aws_db_instance.app.master_user_secret[0].secret_arn
}

output "token" {
  value     = random_password.db.result
  sensitive = true
}

data "aws_iam_policy_document" "app" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::acme-app/*"]
  }
  statement {
    effect    = "Deny"
    actions   = ["*"]
    resources = ["*"]
  }
}
