provider "aws" {
  region     = "eu-west-1"
  access_key = "AK{upperalnum:18}"  «block iac-provider-credential»
  secret_key = "{b64:40}"  «block iac-provider-credential»
}

variable "db_password" {
  type    = string
  default = "letmein-plover"  «block iac-variable-default»
}

variable "token_url" {
  default = "https://auth.internal/token"
}

resource "aws_db_instance" "app" {
  username = "app"
  password = "letmein-plover"  «block iac-resource-password»
}

resource "aws_lambda_function" "app" {
  environment {
    variables = {
      API_KEY   = "{alnum:24}"  «block iac-environment-credential»
      LOG_LEVEL = "info"
    }
  }
}

output "db_password" {  «warn iac-output-unmarked»
  value = var.db_password
}

resource "aws_iam_access_key" "ci" {  «warn static-access-key-user»
  user = "ci"
}

data "aws_iam_policy_document" "app" {
  statement {
    actions   = ["*"]  «warn iam-allow-everything»
    resources = ["*"]
  }
}

resource "aws_iam_role_policy_attachment" "app" {
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"  «warn iam-admin-policy»
}

resource "google_project_iam_member" "app" {
  role   = "roles/owner"  «warn gcp-owner-role»
  member = "user:ann@acme.test"
}

resource "azurerm_role_assignment" "app" {
  role_definition_name = "Owner"  «warn azure-broad-role»
}
